// AVX2 with FMA: 8 lanes. Included inside a target region, after <immintrin.h>.
#pragma once

#include <stddef.h>

#include "inline.h"

namespace gradstep {
namespace {

struct Avx2 {
  using Vector = __m256;
  using Mask = __m256i;
  static constexpr size_t kLanes = 8;
  static constexpr bool kHasFma = true;
  static constexpr bool kComputesRoots = false;
  static constexpr int kUnroll = 2;

  static GRADSTEP_INLINE Vector broadcast(float x) { return _mm256_set1_ps(x); }
  static GRADSTEP_INLINE Vector load(const float* from) { return _mm256_loadu_ps(from); }
  static GRADSTEP_INLINE void store(float* to, Vector x) { _mm256_storeu_ps(to, x); }
  static GRADSTEP_INLINE Mask firstLanes(size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane);
  }
  static GRADSTEP_INLINE Vector load(const float* from, Mask mask) {
    return _mm256_maskload_ps(from, mask);
  }
  static GRADSTEP_INLINE void store(float* to, Vector x, Mask mask) {
    _mm256_maskstore_ps(to, mask, x);
  }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static GRADSTEP_INLINE Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static GRADSTEP_INLINE Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) { return _mm256_div_ps(a, b); }
  static GRADSTEP_INLINE Vector sqrt(Vector a) { return _mm256_sqrt_ps(a); }
  static GRADSTEP_INLINE Vector fma(Vector a, Vector b, Vector c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  static GRADSTEP_INLINE Vector minusFma(Vector a, Vector b, Vector c) {
    return _mm256_fnmadd_ps(a, b, c);
  }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) { return _mm256_xor_ps(a, b); }
  static GRADSTEP_INLINE Vector negate(Vector a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
  static GRADSTEP_INLINE bool hasNaN(Vector a) {
    return _mm256_movemask_ps(_mm256_cmp_ps(a, a, _CMP_UNORD_Q)) != 0;
  }
  static GRADSTEP_INLINE Vector abs(Vector a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  static GRADSTEP_INLINE Vector whenPositive(Vector x, Vector a, Vector b) {
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ));
  }
  static GRADSTEP_INLINE Vector maximum(Vector a, Vector b) {
    // The instruction gives b where either is NaN.
    return _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
  }
  static GRADSTEP_INLINE Vector clamp(Vector x, Vector low, Vector high) {
    // The instructions give their second operand where either is NaN, or both are zero.
    return _mm256_min_ps(high, _mm256_max_ps(low, x));
  }

  using Double = __m256d;
  static constexpr size_t kDoubles = 4;
  static GRADSTEP_INLINE Double broadcastDouble(double x) { return _mm256_set1_pd(x); }
  static GRADSTEP_INLINE void widen(Vector x, Double* out) {
    out[0] = _mm256_cvtps_pd(_mm256_castps256_ps128(x));
    out[1] = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
  }
  static GRADSTEP_INLINE void widenFrom(const float* from, Double* out) {
    out[0] = _mm256_cvtps_pd(_mm_loadu_ps(from));
    out[1] = _mm256_cvtps_pd(_mm_loadu_ps(from + 4));
  }
  static GRADSTEP_INLINE Double addDouble(Double a, Double b) { return _mm256_add_pd(a, b); }
  static GRADSTEP_INLINE Double multiplyDouble(Double a, Double b) { return _mm256_mul_pd(a, b); }
  static GRADSTEP_INLINE Double loadDouble(const double* from) { return _mm256_loadu_pd(from); }
  static GRADSTEP_INLINE void storeDouble(double* to, Double x) { _mm256_storeu_pd(to, x); }
};

}  // namespace
}  // namespace gradstep
