// Compiles the code between BEGIN and END for more instructions than the rest of the library, so
// that no build system needs per-file flags and everything outside stays baseline. Headers of
// the system come before the region: a template instantiated inside would be compiled for the
// region and might be chosen by the linker for everybody.
#pragma once

#define GRADSTEP_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define GRADSTEP_TARGET_BEGIN(features) \
  GRADSTEP_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define GRADSTEP_TARGET_END GRADSTEP_PRAGMA(clang attribute pop)
#elif defined(__GNUC__)
#define GRADSTEP_TARGET_BEGIN(features) \
  GRADSTEP_PRAGMA(GCC push_options) GRADSTEP_PRAGMA(GCC target(features))
#define GRADSTEP_TARGET_END GRADSTEP_PRAGMA(GCC pop_options)
#else  // MSVC takes any intrinsic anywhere
#define GRADSTEP_TARGET_BEGIN(features)
#define GRADSTEP_TARGET_END
#endif
