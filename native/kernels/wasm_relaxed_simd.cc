// The kernel table of WebAssembly's relaxed vectors.
#include "kernel_table.h"

#if defined(__wasm_relaxed_simd__)

#include "../simd/wasm_relaxed_simd.h"
#include "whole_driver.h"

namespace gradstep {
namespace {

constexpr KernelTable kTable = wholeKernelTable<WasmRelaxedSimd>("wasm-relaxed-simd", AllRules{});

}  // namespace
const KernelTable* const kWasmTable = &kTable;
}  // namespace gradstep

#endif
