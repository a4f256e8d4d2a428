#include "memory_map.h"

namespace gradstep {

int64_t MemoryMap::holder(const void* begin, size_t bytes) const {
  const auto from = reinterpret_cast<uintptr_t>(begin);
  if (bytes == 0) return kNobody;
  auto next = ranges_.lower_bound(from);
  if (next != ranges_.end() && next->first < from + bytes) return next->second.owner;
  if (next != ranges_.begin() && (--next)->second.end > from) return next->second.owner;
  return kNobody;
}

int64_t MemoryMap::claim(const void* begin, size_t bytes, int64_t owner) {
  const int64_t other = holder(begin, bytes);
  if (other == kNobody && bytes > 0) {
    const auto from = reinterpret_cast<uintptr_t>(begin);
    ranges_.emplace(from, Range{from + bytes, owner});
  }
  return other;
}

void MemoryMap::release(const void* begin, int64_t owner) {
  const auto found = ranges_.find(reinterpret_cast<uintptr_t>(begin));
  if (found != ranges_.end() && found->second.owner == owner) ranges_.erase(found);
}

}  // namespace gradstep
