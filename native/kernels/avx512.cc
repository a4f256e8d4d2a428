// The kernel table of AVX-512.
#include "kernel_table.h"
#include "../simd/target_region.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

// GCC 12 warns inside its own header: _mm512_undefined_ps is uninitialized on purpose.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

GRADSTEP_TARGET_BEGIN("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#include "../simd/avx512.h"
#include "driver.h"

namespace gradstep {
namespace {

constexpr KernelTable kTable = kernelTable<Avx512>("avx512", AllRules{});

}  // namespace
const KernelTable* const kAvx512Table = &kTable;
}  // namespace gradstep
GRADSTEP_TARGET_END

#else
const gradstep::KernelTable* const gradstep::kAvx512Table = nullptr;
#endif
