// Which kernel table steps, in the whole process: the best, or the one that was forced.
#pragma once

#include "../kernels/kernel_table.h"

namespace gradstep {

const KernelTable& activeTable();

// Forces a table by name; false, and no change, if this processor cannot run it.
bool forceTable(const char* name);

}  // namespace gradstep
