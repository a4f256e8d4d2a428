// The kernel table of NEON.
#include "kernel_table.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include "../simd/neon.h"
#include "driver.h"

namespace gradstep {
namespace {

constexpr KernelTable kTable = kernelTable<Neon>("neon", AllRules{});

}  // namespace
const KernelTable* const kNeonTable = &kTable;
}  // namespace gradstep

#else
const gradstep::KernelTable* const gradstep::kNeonTable = nullptr;
#endif
