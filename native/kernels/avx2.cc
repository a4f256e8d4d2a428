// The kernel table of AVX2 with FMA.
#include "kernel_table.h"
#include "../simd/target_region.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

GRADSTEP_TARGET_BEGIN("avx2,fma")
#include "../simd/avx2.h"
#include "driver.h"

namespace gradstep {
namespace {

constexpr KernelTable kTable = kernelTable<Avx2>("avx2", AllRules{});

}  // namespace
const KernelTable* const kAvx2Table = &kTable;
}  // namespace gradstep
GRADSTEP_TARGET_END

#else
const gradstep::KernelTable* const gradstep::kAvx2Table = nullptr;
#endif
