// AVX-512: 16 lanes, masked loads and stores. Included inside a target region, after
// <immintrin.h>.
#pragma once

#include <stddef.h>

#include "inline.h"

namespace gradstep {
namespace {

struct Avx512 {
  using Vector = __m512;
  using Mask = __mmask16;
  static constexpr size_t kLanes = 16;
  static constexpr bool kHasFma = true;
  static constexpr bool kComputesRoots = true;
  static constexpr int kUnroll = 5;

  static GRADSTEP_INLINE Vector broadcast(float x) { return _mm512_set1_ps(x); }
  static GRADSTEP_INLINE Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static GRADSTEP_INLINE void store(float* to, Vector x) { _mm512_storeu_ps(to, x); }
  static GRADSTEP_INLINE Mask firstLanes(size_t n) { return static_cast<Mask>((1u << n) - 1); }
  static GRADSTEP_INLINE Vector load(const float* from, Mask mask) {
    return _mm512_maskz_loadu_ps(mask, from);
  }
  static GRADSTEP_INLINE void store(float* to, Vector x, Mask mask) {
    _mm512_mask_storeu_ps(to, mask, x);
  }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static GRADSTEP_INLINE Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static GRADSTEP_INLINE Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) { return _mm512_div_ps(a, b); }
  static GRADSTEP_INLINE Vector sqrt(Vector a) { return _mm512_sqrt_ps(a); }
  static GRADSTEP_INLINE Vector fma(Vector a, Vector b, Vector c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  static GRADSTEP_INLINE Vector minusFma(Vector a, Vector b, Vector c) {
    return _mm512_fnmadd_ps(a, b, c);
  }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) { return _mm512_xor_ps(a, b); }
  static GRADSTEP_INLINE Vector negate(Vector a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
  // The root of a normal x >= 2^-100 and of +0, exactly; NaN for other x that are not tiny. From an
  // estimate by the Newton steps of Goldschmidt, then once more with the exact residue: no mantissa
  // is rounded wrongly, whatever the error of an estimate of 14 bits (kernels_test.cc).
  static GRADSTEP_INLINE Vector computedSqrt(Vector x) {
    const __m512i smallest = _mm512_set1_epi32(0x00800000);
    const Vector half = _mm512_set1_ps(0.5f);
    const Vector y =
        _mm512_rsqrt14_ps(_mm512_castsi512_ps(_mm512_max_epu32(_mm512_castps_si512(x), smallest)));
    Vector root = _mm512_mul_ps(x, y);
    Vector h = _mm512_mul_ps(y, half);
    const Vector error = _mm512_fnmadd_ps(h, root, half);
    root = _mm512_fmadd_ps(root, error, root);
    h = _mm512_fmadd_ps(h, error, h);
    return _mm512_fmadd_ps(h, _mm512_fnmadd_ps(root, root, x), root);
  }
  // Whether any lane lies between 0 and 2^-100, both excluded.
  static GRADSTEP_INLINE bool hasTiny(Vector x) {
    const __m512i before = _mm512_sub_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(1));
    return _mm512_cmplt_epu32_mask(before, _mm512_set1_epi32(0x0d800000 - 1)) != 0;
  }
  static GRADSTEP_INLINE bool hasNaN(Vector a) {
    return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q) != 0;
  }
  static GRADSTEP_INLINE Vector abs(Vector a) { return _mm512_abs_ps(a); }
  static GRADSTEP_INLINE Vector whenPositive(Vector x, Vector a, Vector b) {
    return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), a);
  }
  static GRADSTEP_INLINE Vector maximum(Vector a, Vector b) {
    // The instruction gives b where either is NaN.
    const __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
    return _mm512_mask_mov_ps(_mm512_max_ps(a, b), nan, a);
  }
  static GRADSTEP_INLINE Vector clamp(Vector x, Vector low, Vector high) {
    // The instructions give their second operand where either is NaN, or both are zero.
    return _mm512_min_ps(high, _mm512_max_ps(low, x));
  }

  using Double = __m512d;
  static constexpr size_t kDoubles = 8;
  static GRADSTEP_INLINE Double broadcastDouble(double x) { return _mm512_set1_pd(x); }
  static GRADSTEP_INLINE void widen(Vector x, Double* out) {
    out[0] = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
    out[1] = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
  }
  static GRADSTEP_INLINE void widenFrom(const float* from, Double* out) {
    out[0] = _mm512_cvtps_pd(_mm256_loadu_ps(from));
    out[1] = _mm512_cvtps_pd(_mm256_loadu_ps(from + 8));
  }
  static GRADSTEP_INLINE Double addDouble(Double a, Double b) { return _mm512_add_pd(a, b); }
  static GRADSTEP_INLINE Double multiplyDouble(Double a, Double b) { return _mm512_mul_pd(a, b); }
  static GRADSTEP_INLINE Double loadDouble(const double* from) { return _mm512_loadu_pd(from); }
  static GRADSTEP_INLINE void storeDouble(double* to, Double x) { _mm512_storeu_pd(to, x); }
};

}  // namespace
}  // namespace gradstep
