// What the rooms below the core need of a C library, as compilers have it built in: so they compile
// where there is no library, as for WebAssembly. IEEE 754 leaves no choice of results here.
#pragma once

#include <float.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
#include <math.h>
#include <string.h>
#define GRADSTEP_BUILTIN(function) ::function
#else
#define GRADSTEP_BUILTIN(function) __builtin_##function
#endif

namespace gradstep {

constexpr float kInfinity = __builtin_huge_valf();

// Static, since some are compiled inside a target region (simd/target_region.h).
static inline bool isNaN(double x) { return x != x; }
static inline float absolute(float x) { return GRADSTEP_BUILTIN(fabsf)(x); }
static inline double absolute(double x) { return GRADSTEP_BUILTIN(fabs)(x); }
static inline float squareRoot(float x) { return GRADSTEP_BUILTIN(sqrtf)(x); }
static inline double squareRoot(double x) { return GRADSTEP_BUILTIN(sqrt)(x); }

static inline void copyBytes(void* to, const void* from, size_t count) {
  GRADSTEP_BUILTIN(memcpy)(to, from, count);
}

}  // namespace gradstep
