#include "busy_memory.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

namespace gradstep {
namespace {

using Range = BusyMemory::Range;

struct Held {
  std::mutex mutex;
  std::map<const void*, std::vector<Range>> byOwner;  // each list sorted and disjoint
};

std::atomic<size_t> owners{0};

// Never destroyed: threads may outlive whoever destroys statics.
Held& held() {
  static Held* held = new Held;
  return *held;
}

// Two steps may read the same gradients, and nothing else is shared.
bool conflicts(const Range& range, const std::vector<Range>& sorted) {
  // Sorted by their ends too: of those that overlap, take() has made one.
  auto other = std::upper_bound(sorted.begin(), sorted.end(), range.begin,
                                [](uintptr_t begin, const Range& r) { return begin < r.end; });
  for (; other != sorted.end() && other->begin < range.end; ++other) {
    if (range.writes || other->writes) return true;
  }
  return false;
}

// Sorted, and what overlaps joined.
std::vector<Range> disjoint(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::vector<Range> result;
  for (const Range& range : ranges) {
    if (result.empty() || range.begin >= result.back().end) {
      result.push_back(range);
      continue;
    }
    result.back().end = std::max(result.back().end, range.end);
    result.back().writes = result.back().writes || range.writes;
  }
  return result;
}

size_t firstConflict(const std::vector<Range>& ranges) {
  for (size_t i = 0; i < ranges.size(); i++) {
    for (const auto& [owner, others] : held().byOwner) {
      if (conflicts(ranges[i], others)) return i;
    }
  }
  return BusyMemory::kFree;
}

}  // namespace

bool BusyMemory::idle() { return owners.load(std::memory_order_acquire) == 0; }

size_t BusyMemory::conflict(const std::vector<Range>& ranges) {
  const std::lock_guard<std::mutex> lock(held().mutex);
  return firstConflict(ranges);
}

size_t BusyMemory::take(const void* owner, std::vector<Range> ranges) {
  const std::lock_guard<std::mutex> lock(held().mutex);
  const size_t found = firstConflict(ranges);
  if (found != kFree) return found;
  held().byOwner[owner] = disjoint(std::move(ranges));
  owners.store(held().byOwner.size(), std::memory_order_release);
  return kFree;
}

void BusyMemory::release(const void* owner) {
  const std::lock_guard<std::mutex> lock(held().mutex);
  held().byOwner.erase(owner);
  owners.store(held().byOwner.size(), std::memory_order_release);
}

}  // namespace gradstep
