// The kernel table of WebAssembly's vectors of fixed width.
#include "kernel_table.h"

#if defined(__wasm_simd128__) && !defined(__wasm_relaxed_simd__)

#include "../simd/wasm_simd128.h"
#include "whole_driver.h"

namespace gradstep {
namespace {

constexpr KernelTable kTable = checkedKernelTable<WasmSimd128>("wasm-simd128", AllRules{});

}  // namespace
const KernelTable* const kWasmTable = &kTable;
}  // namespace gradstep

#endif
