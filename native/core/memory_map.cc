#include "memory_map.h"

#include <algorithm>
#include <iterator>

namespace gradstep {

int64_t MemoryMap::holder(const void* begin, size_t bytes) const {
  const auto from = reinterpret_cast<uintptr_t>(begin);
  return holderBefore(ranges_.lower_bound(from), from, bytes);
}

// `next`: the first range that does not begin before `from`.
int64_t MemoryMap::holderBefore(Ranges::const_iterator next, uintptr_t from, size_t bytes) const {
  if (bytes == 0) return kNobody;
  if (next != ranges_.end() && next->first < from + bytes) return next->second.owner;
  if (next != ranges_.begin() && (--next)->second.end > from) return next->second.owner;
  return kNobody;
}

int64_t MemoryMap::claim(const void* begin, size_t bytes, int64_t owner) {
  const auto from = reinterpret_cast<uintptr_t>(begin);
  const auto next = ranges_.lower_bound(from);
  const int64_t other = holderBefore(next, from, bytes);
  if (other == kNobody && bytes > 0) ranges_.emplace_hint(next, from, Range{from + bytes, owner});
  return other;
}

bool MemoryMap::extend(const void* begin, size_t bytes, int64_t owner) {
  const auto from = reinterpret_cast<uintptr_t>(begin);
  const auto found = ranges_.find(from);
  if (found == ranges_.end() || found->second.owner != owner) return false;
  const auto next = std::next(found);
  if (next != ranges_.end() && next->first < from + bytes) return false;
  found->second.end = std::max(found->second.end, from + bytes);
  return true;
}

bool MemoryMap::release(const void* begin, int64_t owner) {
  const auto found = ranges_.find(reinterpret_cast<uintptr_t>(begin));
  if (found == ranges_.end() || found->second.owner != owner) return false;
  ranges_.erase(found);
  return true;
}

void MemoryMap::rename(const void* begin, int64_t owner, int64_t name) {
  const auto found = ranges_.find(reinterpret_cast<uintptr_t>(begin));
  if (found != ranges_.end() && found->second.owner == owner) found->second.owner = name;
}

}  // namespace gradstep
