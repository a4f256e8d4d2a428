// WebAssembly's relaxed vectors. An engine may fuse relaxed_madd or round twice, and keeps to its
// choice: lib/backend/wasm/modules.ts takes this module only where a probe shows that it fuses.
#pragma once

#include "wasm_simd128.h"

namespace gradstep {
namespace {

struct WasmRelaxedSimd : WasmVectors {
  static constexpr bool kHasFma = true;

  static GRADSTEP_INLINE Vector fma(Vector a, Vector b, Vector c) {
    return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
  }
  static GRADSTEP_INLINE Vector minusFma(Vector a, Vector b, Vector c) {
    return __builtin_wasm_relaxed_nmadd_f32x4(a, b, c);
  }
};

}  // namespace
}  // namespace gradstep
