// Which kernel tables this processor can run.
#pragma once

#include "kernel_table.h"

namespace gradstep {

// Best first; null ends the list.
const KernelTable* const* supportedTables();

}  // namespace gradstep
