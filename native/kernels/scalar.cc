// The kernel table of any processor.
#include "../simd/scalar.h"
#include "driver.h"

namespace gradstep {
namespace {

constexpr KernelTable kTable = kernelTable<Scalar>("scalar", AllRules{});

}  // namespace
const KernelTable* const kScalarTable = &kTable;
}  // namespace gradstep
