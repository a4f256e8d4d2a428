// Any processor: one lane, FMA emulated through double.
#pragma once

#include "../math/elementary.h"
#include "../math/emulated_fma.h"
#include "inline.h"

namespace gradstep {
namespace {

struct Scalar {
  using Vector = float;
  using Mask = size_t;
  static constexpr size_t kLanes = 1;
  static constexpr bool kHasFma = false;
  static constexpr bool kComputesRoots = false;
  static constexpr int kUnroll = 1;

  static GRADSTEP_INLINE Vector broadcast(float x) { return x; }
  static GRADSTEP_INLINE Vector load(const float* from) { return *from; }
  static GRADSTEP_INLINE void store(float* to, Vector x) { *to = x; }
  static GRADSTEP_INLINE Mask firstLanes(size_t n) { return n; }
  static GRADSTEP_INLINE Vector load(const float* from, Mask) { return *from; }
  static GRADSTEP_INLINE void store(float* to, Vector x, Mask) { *to = x; }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) { return a + b; }
  static GRADSTEP_INLINE Vector subtract(Vector a, Vector b) { return a - b; }
  static GRADSTEP_INLINE Vector multiply(Vector a, Vector b) { return a * b; }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) { return a / b; }
  static GRADSTEP_INLINE Vector sqrt(Vector a) { return squareRoot(a); }
  static GRADSTEP_INLINE Vector fma(Vector a, Vector b, Vector c) { return emulatedFma(a, b, c); }
  static GRADSTEP_INLINE Vector minusFma(Vector a, Vector b, Vector c) {
    return emulatedFma(-a, b, c);
  }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) {
    uint32_t x, y;
    copyBytes(&x, &a, sizeof x);
    copyBytes(&y, &b, sizeof y);
    x ^= y;
    copyBytes(&a, &x, sizeof x);
    return a;
  }
  static GRADSTEP_INLINE Vector negate(Vector a) { return -a; }
  static GRADSTEP_INLINE bool hasNaN(Vector a) { return a != a; }
  static GRADSTEP_INLINE Vector abs(Vector a) { return absolute(a); }
  static GRADSTEP_INLINE Vector whenPositive(Vector x, Vector a, Vector b) { return x > 0 ? a : b; }
  static GRADSTEP_INLINE Vector maximum(Vector a, Vector b) { return a > b || a != a ? a : b; }
  static GRADSTEP_INLINE Vector clamp(Vector x, Vector low, Vector high) {
    return x < low ? low : x > high ? high : x;
  }

  using Double = double;
  static constexpr size_t kDoubles = 1;
  static GRADSTEP_INLINE Double broadcastDouble(double x) { return x; }
  static GRADSTEP_INLINE void widen(Vector x, Double* out) { *out = x; }
  static GRADSTEP_INLINE void widenFrom(const float* from, Double* out) { widen(load(from), out); }
  static GRADSTEP_INLINE Double addDouble(Double a, Double b) { return a + b; }
  static GRADSTEP_INLINE Double multiplyDouble(Double a, Double b) { return a * b; }
  static GRADSTEP_INLINE Double loadDouble(const double* from) { return *from; }
  static GRADSTEP_INLINE void storeDouble(double* to, Double x) { *to = x; }
};

}  // namespace
}  // namespace gradstep
