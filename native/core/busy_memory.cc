#include "busy_memory.h"

#include <algorithm>
#include <atomic>
#include <mutex>

namespace gradstep {
namespace {

using Range = Footprint::Range;

struct Hold {
  const Footprint* footprint;
  BusyMemory::Where where;
};

struct Held {
  std::mutex mutex;
  std::vector<Hold> list;
};

std::atomic<size_t> inBackground{0};
std::atomic<int> environments{0};

// Never destroyed: threads may outlive whoever destroys statics.
Held& held() {
  static Held* held = new Held;
  return *held;
}

// Two steps may read the same gradients, and nothing else is shared.
bool conflicts(const Range& range, const std::vector<Range>& sorted) {
  // Sorted by their ends too: they are disjoint.
  auto other = std::upper_bound(sorted.begin(), sorted.end(), range.begin,
                                [](uintptr_t begin, const Range& r) { return begin < r.end; });
  for (; other != sorted.end() && other->begin < range.end; ++other) {
    if (range.writes || other->writes) return true;
  }
  return false;
}

size_t firstConflict(const Footprint& footprint, BusyMemory::Where where) {
  const std::vector<Range>& ranges = footprint.ranges();
  size_t first = BusyMemory::kFree;
  for (const Hold& hold : held().list) {
    if (where == BusyMemory::kHere && hold.where == BusyMemory::kHere) continue;
    for (size_t i = 0; i < ranges.size() && i < first; i++) {
      if (conflicts(ranges[i], hold.footprint->disjoint())) first = i;
    }
  }
  return first;
}

}  // namespace

void Footprint::clear() {
  ranges_.clear();
  disjoint_.clear();
}

void Footprint::add(const void* begin, size_t bytes, bool writes) {
  const auto from = reinterpret_cast<uintptr_t>(begin);
  ranges_.push_back({from, from + bytes, writes});
}

void Footprint::sort() {
  std::vector<Range> sorted;
  for (const Range& range : ranges_) {
    if (range.begin < range.end) sorted.push_back(range);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  disjoint_.clear();
  for (const Range& range : sorted) {
    if (disjoint_.empty() || range.begin >= disjoint_.back().end) {
      disjoint_.push_back(range);
      continue;
    }
    disjoint_.back().end = std::max(disjoint_.back().end, range.end);
    disjoint_.back().writes |= range.writes;
  }
}

size_t BusyMemory::take(const Footprint& footprint, Where where) {
  const std::lock_guard<std::mutex> lock(held().mutex);
  const size_t found = firstConflict(footprint, where);
  if (found != kFree) return found;
  held().list.push_back({&footprint, where});
  if (where == kBackground) inBackground++;
  return kFree;
}

void BusyMemory::release(const Footprint& footprint) {
  const std::lock_guard<std::mutex> lock(held().mutex);
  std::vector<Hold>& list = held().list;
  for (size_t i = list.size(); i-- > 0;) {
    if (list[i].footprint != &footprint) continue;
    if (list[i].where == kBackground) inBackground--;
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

size_t BusyMemory::conflict(const Footprint& footprint) {
  const std::lock_guard<std::mutex> lock(held().mutex);
  return firstConflict(footprint, kHere);
}

bool BusyMemory::idle() { return inBackground.load() == 0; }

bool BusyMemory::isWatched(size_t floats) {
  constexpr size_t kLong = 100'000;
  return floats >= kLong || environments.load(std::memory_order_relaxed) > 1 || !idle();
}

void BusyMemory::enterEnvironment() { environments++; }

void BusyMemory::leaveEnvironment() { environments--; }

}  // namespace gradstep
