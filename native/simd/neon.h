// NEON: 4 lanes. It is part of every 64-bit ARM, so no region is needed.
#pragma once

#include <arm_neon.h>

#include <stddef.h>

#include "inline.h"

namespace gradstep {
namespace {

struct Neon {
  using Vector = float32x4_t;
  using Mask = size_t;  // how many lanes are there
  static constexpr size_t kLanes = 4;
  static constexpr bool kHasFma = true;
  static constexpr bool kComputesRoots = false;
  static constexpr int kUnroll = 4;

  static GRADSTEP_INLINE Vector broadcast(float x) { return vdupq_n_f32(x); }
  static GRADSTEP_INLINE Vector load(const float* from) { return vld1q_f32(from); }
  static GRADSTEP_INLINE void store(float* to, Vector x) { vst1q_f32(to, x); }
  static GRADSTEP_INLINE Mask firstLanes(size_t n) { return n; }
  static GRADSTEP_INLINE Vector load(const float* from, Mask count) {
    float lanes[kLanes] = {};
    for (size_t i = 0; i < count; i++) lanes[i] = from[i];
    return vld1q_f32(lanes);
  }
  static GRADSTEP_INLINE void store(float* to, Vector x, Mask count) {
    float lanes[kLanes];
    vst1q_f32(lanes, x);
    for (size_t i = 0; i < count; i++) to[i] = lanes[i];
  }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) { return vaddq_f32(a, b); }
  static GRADSTEP_INLINE Vector subtract(Vector a, Vector b) { return vsubq_f32(a, b); }
  static GRADSTEP_INLINE Vector multiply(Vector a, Vector b) { return vmulq_f32(a, b); }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) { return vdivq_f32(a, b); }
  static GRADSTEP_INLINE Vector sqrt(Vector a) { return vsqrtq_f32(a); }
  static GRADSTEP_INLINE Vector fma(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static GRADSTEP_INLINE Vector minusFma(Vector a, Vector b, Vector c) {
    return vfmsq_f32(c, a, b);
  }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) {
    return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)));
  }
  static GRADSTEP_INLINE Vector negate(Vector a) { return vnegq_f32(a); }
  static GRADSTEP_INLINE bool hasNaN(Vector a) { return vminvq_u32(vceqq_f32(a, a)) == 0; }
  static GRADSTEP_INLINE Vector abs(Vector a) { return vabsq_f32(a); }
  static GRADSTEP_INLINE Vector whenPositive(Vector x, Vector a, Vector b) {
    return vbslq_f32(vcgtzq_f32(x), a, b);
  }
  static GRADSTEP_INLINE Vector maximum(Vector a, Vector b) { return vmaxq_f32(a, b); }
  static GRADSTEP_INLINE Vector clamp(Vector x, Vector low, Vector high) {
    return vminq_f32(vmaxq_f32(x, low), high);
  }

  using Double = float64x2_t;
  static constexpr size_t kDoubles = 2;
  static GRADSTEP_INLINE Double broadcastDouble(double x) { return vdupq_n_f64(x); }
  static GRADSTEP_INLINE void widen(Vector x, Double* out) {
    out[0] = vcvt_f64_f32(vget_low_f32(x));
    out[1] = vcvt_high_f64_f32(x);
  }
  static GRADSTEP_INLINE void widenFrom(const float* from, Double* out) { widen(load(from), out); }
  static GRADSTEP_INLINE Double addDouble(Double a, Double b) { return vaddq_f64(a, b); }
  static GRADSTEP_INLINE Double multiplyDouble(Double a, Double b) { return vmulq_f64(a, b); }
  static GRADSTEP_INLINE Double loadDouble(const double* from) { return vld1q_f64(from); }
  static GRADSTEP_INLINE void storeDouble(double* to, Double x) { vst1q_f64(to, x); }
};

}  // namespace
}  // namespace gradstep
