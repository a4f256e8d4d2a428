// Which kernel table steps: the best that this processor runs, or the one that was forced.
#pragma once

#include "kernel_table.h"

namespace gradstep {

// The tables that this processor can run, best first; null ends the list.
const KernelTable* const* supportedTables();

// The table in force, for the whole process.
const KernelTable& activeTable();

// Forces a table by name; false, and no change, if this processor cannot run it.
bool forceTable(const char* name);

}  // namespace gradstep
