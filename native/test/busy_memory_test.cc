// Busy memory against its definition, byte by byte; and as what it is for: a lock on ranges.
#include "../core/busy_memory.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "check.h"

using namespace gradstep;

namespace {

using Range = Footprint::Range;
constexpr uintptr_t kBytes = 64;
constexpr int kOwners = 5;

bool overlap(const Range& a, const Range& b) { return a.begin < b.end && b.begin < a.end; }

// A step never writes what it reads under another name: such overlaps are refused before.
std::vector<Range> randomRanges(Random& next) {
  std::vector<Range> ranges;
  for (uint32_t i = next() % 6; i-- > 0;) {
    const uintptr_t begin = next() % kBytes;
    const uintptr_t length = 1 + next() % (next() % 4 ? 5 : 30);
    const Range range = {begin, std::min(kBytes, begin + length), next() % 3 == 0};
    const bool fits = std::all_of(ranges.begin(), ranges.end(), [&](const Range& other) {
      return other.writes == range.writes || !overlap(other, range);
    });
    if (fits) ranges.push_back(range);
  }
  return ranges;
}

Footprint footprintOf(const std::vector<Range>& ranges) {
  Footprint footprint;
  for (const Range& range : ranges) {
    footprint.add(reinterpret_cast<const void*>(range.begin), range.end - range.begin,
                  range.writes);
  }
  footprint.sort();
  return footprint;
}

struct Model {
  std::vector<Range> held[kOwners];
  Footprint footprints[kOwners];
  bool holds[kOwners] = {}, isHere[kOwners] = {};

  size_t conflict(const std::vector<Range>& ranges, bool here) const {
    for (size_t i = 0; i < ranges.size(); i++) {
      for (int owner = 0; owner < kOwners; owner++) {
        if (here && isHere[owner]) continue;
        for (const Range& other : held[owner]) {
          if (overlap(ranges[i], other) && (ranges[i].writes || other.writes)) return i;
        }
      }
    }
    return BusyMemory::kFree;
  }
};

void isAsDefined() {
  Random next;
  Model model;
  int taken = 0, refused = 0;
  for (int i = 0; i < 50000; i++) {
    const auto owner = static_cast<int>(next() % kOwners);
    const std::vector<Range> ranges = randomRanges(next);
    const bool here = next() % 2 == 0;
    const auto where = here ? BusyMemory::kHere : BusyMemory::kBackground;
    const size_t expected = model.conflict(ranges, here);
    if (here) {
      const size_t found = BusyMemory::conflict(footprintOf(ranges));
      CHECK(found == expected, "conflict in round %d", i);
    }
    if (model.holds[owner]) {
      BusyMemory::release(model.footprints[owner]);
      model.held[owner].clear();
      model.holds[owner] = false;
    } else {
      model.footprints[owner] = footprintOf(ranges);
      const size_t found = BusyMemory::take(model.footprints[owner], where);
      CHECK(found == expected, "take in round %d", i);
      model.holds[owner] = expected == BusyMemory::kFree;
      model.isHere[owner] = here;
      if (model.holds[owner]) model.held[owner] = ranges;
      ++(model.holds[owner] ? taken : refused);
    }
    bool idle = true;
    for (int k = 0; k < kOwners; k++) idle = idle && (!model.holds[k] || model.isHere[k]);
    CHECK(BusyMemory::idle() == idle, "idle in round %d", i);
    CHECK(BusyMemory::isWatched(1) == !idle, "watched in round %d", i);
  }
  CHECK(taken > 5000 && refused > 2000, "%d taken, %d refused", taken, refused);
  for (const Footprint& footprint : model.footprints) BusyMemory::release(footprint);
  CHECK(BusyMemory::idle(), "all released");
}

// Who holds a range to write has it alone: counters that are no atomics stay right.
void excludes() {
  static int counters[8] = {};
  std::atomic<int> counted{0};
  const auto work = [&](int seed) {
    Random next;
    for (int i = 0; i < seed; i++) next();
    for (int i = 0; i < 5000; i++) {
      const size_t first = next() % 8, second = next() % 8;
      std::vector<Range> ranges;
      for (const size_t at : {first, second}) {
        const auto begin = reinterpret_cast<uintptr_t>(counters + at);
        ranges.push_back({begin, begin + sizeof(int), true});
      }
      const Footprint footprint = footprintOf(ranges);
      // One thread of four steps here, the others in the background.
      const auto where = seed == 0 ? BusyMemory::kHere : BusyMemory::kBackground;
      BusyMemoryTaker taker;
      if (taker.take(footprint, where) != BusyMemory::kFree) continue;
      counters[first]++;
      counters[second]++;
      counted += 2;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) threads.emplace_back(work, i * 1000);
  for (std::thread& thread : threads) thread.join();
  int sum = 0;
  for (const int counter : counters) sum += counter;
  CHECK(sum == counted && sum > 0, "%d, counted %d", sum, counted.load());
  CHECK(BusyMemory::idle(), "all released");
}

}  // namespace

int main() {
  const Footprint some = footprintOf({{64, 128, true}});
  CHECK(BusyMemory::idle() && BusyMemory::conflict(some) == BusyMemory::kFree, "free");
  CHECK(!BusyMemory::isWatched(16) && BusyMemory::isWatched(1'000'000), "long steps are watched");
  BusyMemory::enterEnvironment();
  BusyMemory::enterEnvironment();
  CHECK(BusyMemory::isWatched(16), "and all where there are two environments");
  BusyMemory::leaveEnvironment();
  BusyMemory::leaveEnvironment();
  isAsDefined();
  excludes();
  return finish("busy_memory");
}
