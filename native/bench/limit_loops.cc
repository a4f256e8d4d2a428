#include "limit_loops.h"

#include <cmath>
#include <cstring>

#include "../simd/inline.h"
#include "../simd/target_region.h"

#if defined(__x86_64__)

#include <immintrin.h>

// GCC 12 warns inside its own header: _mm512_undefined_ps is uninitialized on purpose.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

GRADSTEP_TARGET_BEGIN("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
namespace gradstep::with_avx512 {

struct V {
  using Vector = __m512;
  static constexpr size_t kLanes = 16;
  static GRADSTEP_INLINE Vector broadcast(float x) { return _mm512_set1_ps(x); }
  static GRADSTEP_INLINE Vector broadcastBits(uint32_t x) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(x)));
  }
  static GRADSTEP_INLINE Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static GRADSTEP_INLINE void store(float* to, Vector x) { _mm512_storeu_ps(to, x); }
  static GRADSTEP_INLINE Vector bitAnd(Vector a, Vector b) { return _mm512_and_ps(a, b); }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) { return _mm512_xor_ps(a, b); }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) { return _mm512_div_ps(a, b); }
  static GRADSTEP_INLINE Vector sqrt(Vector a) { return _mm512_sqrt_ps(a); }
};

#include "limit_loops.inl.h"

}  // namespace gradstep::with_avx512
GRADSTEP_TARGET_END

GRADSTEP_TARGET_BEGIN("avx2,fma")
namespace gradstep::with_avx2 {

struct V {
  using Vector = __m256;
  static constexpr size_t kLanes = 8;
  static GRADSTEP_INLINE Vector broadcast(float x) { return _mm256_set1_ps(x); }
  static GRADSTEP_INLINE Vector broadcastBits(uint32_t x) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(x)));
  }
  static GRADSTEP_INLINE Vector load(const float* from) { return _mm256_loadu_ps(from); }
  static GRADSTEP_INLINE void store(float* to, Vector x) { _mm256_storeu_ps(to, x); }
  static GRADSTEP_INLINE Vector bitAnd(Vector a, Vector b) { return _mm256_and_ps(a, b); }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) { return _mm256_xor_ps(a, b); }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) { return _mm256_div_ps(a, b); }
  static GRADSTEP_INLINE Vector sqrt(Vector a) { return _mm256_sqrt_ps(a); }
};

#include "limit_loops.inl.h"

}  // namespace gradstep::with_avx2
GRADSTEP_TARGET_END

#endif

namespace gradstep {
namespace plain {

// Four floats, which the compiler makes a vector where its baseline has one (SSE2, NEON).
struct V {
  static constexpr size_t kLanes = 4;
  struct Vector {
    float lane[kLanes];
  };

  template <class Operation>
  static GRADSTEP_INLINE Vector each(Operation operation) {
    Vector result;
    for (size_t i = 0; i < kLanes; i++) result.lane[i] = operation(i);
    return result;
  }
  template <class Operation>
  static GRADSTEP_INLINE Vector bitwise(Vector a, Vector b, Operation operation) {
    uint32_t x[kLanes], y[kLanes];
    std::memcpy(x, &a, sizeof x);
    std::memcpy(y, &b, sizeof y);
    for (size_t i = 0; i < kLanes; i++) x[i] = operation(x[i], y[i]);
    std::memcpy(&a, x, sizeof x);
    return a;
  }

  static GRADSTEP_INLINE Vector broadcast(float x) {
    return each([x](size_t) { return x; });
  }
  static GRADSTEP_INLINE Vector broadcastBits(uint32_t x) {
    const uint32_t bits[kLanes] = {x, x, x, x};
    Vector result;
    std::memcpy(&result, bits, sizeof bits);
    return result;
  }
  static GRADSTEP_INLINE Vector load(const float* from) {
    Vector result;
    std::memcpy(&result, from, sizeof result);
    return result;
  }
  static GRADSTEP_INLINE void store(float* to, Vector x) { std::memcpy(to, &x, sizeof x); }
  static GRADSTEP_INLINE Vector bitAnd(Vector a, Vector b) {
    return bitwise(a, b, [](uint32_t x, uint32_t y) { return x & y; });
  }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) {
    return bitwise(a, b, [](uint32_t x, uint32_t y) { return x ^ y; });
  }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) {
    return each([&](size_t i) { return a.lane[i] + b.lane[i]; });
  }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) {
    return each([&](size_t i) { return a.lane[i] / b.lane[i]; });
  }
  static GRADSTEP_INLINE Vector sqrt(Vector a) {
    return each([&](size_t i) { return std::sqrt(a.lane[i]); });
  }
};

#include "limit_loops.inl.h"

}  // namespace plain

const LimitLoops* findLimitLoops(const char* isa) {
#if defined(__x86_64__)
  static constexpr LimitLoops kAvx512{"avx512", with_avx512::stream, with_avx512::divide};
  static constexpr LimitLoops kAvx2{"avx2", with_avx2::stream, with_avx2::divide};
  __builtin_cpu_init();
  if (std::strcmp(isa, "avx512") == 0) {
    const bool has = __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return has ? &kAvx512 : nullptr;
  }
  if (std::strcmp(isa, "avx2") == 0) return __builtin_cpu_supports("avx2") ? &kAvx2 : nullptr;
#endif
  static constexpr LimitLoops kPlain{"plain", plain::stream, plain::divide};
  return &kPlain;
}

}  // namespace gradstep
