// Kernels are assembled from small functions that must vanish; a call in the loop would spill
// vectors, and a function left out of line would escape its target region.
#pragma once

#if defined(_MSC_VER) && !defined(__clang__)
#define GRADSTEP_INLINE __forceinline
#define GRADSTEP_UNLIKELY(condition) (condition)
#else
#define GRADSTEP_INLINE inline __attribute__((always_inline))
#define GRADSTEP_UNLIKELY(condition) __builtin_expect(condition, false)
#endif
