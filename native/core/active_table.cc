#include "active_table.h"

#include <atomic>
#include <cstring>

#include "../kernels/dispatch.h"

namespace gradstep {
namespace {

std::atomic<const KernelTable*> forced{nullptr};

}  // namespace

const KernelTable& activeTable() {
  const KernelTable* table = forced.load(std::memory_order_relaxed);
  return table ? *table : *supportedTables()[0];
}

bool forceTable(const char* name) {
  for (const KernelTable* const* table = supportedTables(); *table; ++table) {
    if (std::strcmp((*table)->name, name) == 0) {
      forced.store(*table, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

}  // namespace gradstep
