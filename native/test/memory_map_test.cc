// Overlap of ranges, against the definition.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "../core/memory_map.h"
#include "check.h"

using namespace gradstep;

struct Range {
  const char* begin;
  size_t bytes;
  int64_t owner;
};

static bool overlap(const Range& a, const Range& b) {
  return a.bytes > 0 && b.bytes > 0 && a.begin < b.begin + b.bytes && b.begin < a.begin + a.bytes;
}

int main() {
  static char memory[2000];
  Random next;
  MemoryMap map;
  std::vector<Range> held;
  const auto extend = [&](Range& range, size_t bytes) {
    const Range longer = {range.begin, bytes, range.owner};
    bool free = true;
    for (const Range& other : held) free &= other.owner == range.owner || !overlap(longer, other);
    CHECK(map.extend(range.begin, bytes, range.owner) == free, "extend of %lld",
          (long long)range.owner);
    if (free) range.bytes = std::max(range.bytes, bytes);
  };
  for (int64_t i = 0; i < 20000; i++) {
    const Range range = {memory + next() % 1900, next() % 40, i};
    const Range* conflict = nullptr;
    for (const Range& other : held) conflict = overlap(range, other) ? &other : conflict;
    const int64_t holder = map.holder(range.begin, range.bytes);
    CHECK((holder == MemoryMap::kNobody) == (conflict == nullptr), "holder of %lld", (long long)i);
    CHECK(map.claim(range.begin, range.bytes, i) == holder, "claim of %lld", (long long)i);
    if (conflict == nullptr && range.bytes > 0) held.push_back(range);
    if (next() % 3 == 0 && !held.empty()) {
      const size_t victim = next() % held.size();
      extend(held[victim], next() % 60);
      CHECK(!map.extend(held[victim].begin, 1, i + 1), "somebody else's");
      CHECK(!map.release(held[victim].begin, held[victim].owner + 1), "not the owner");
      CHECK(map.holder(held[victim].begin, 1) == held[victim].owner, "kept");
      map.rename(held[victim].begin, held[victim].owner + 1, 7);  // not the owner: nothing happens
      map.rename(held[victim].begin, held[victim].owner, 1000000 + i);
      CHECK(map.holder(held[victim].begin, 1) == 1000000 + i, "renamed");
      CHECK(map.release(held[victim].begin, 1000000 + i), "there");
      CHECK(map.holder(held[victim].begin, held[victim].bytes) == MemoryMap::kNobody, "released");
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(victim));
    }
  }
  return finish("memory_map");
}
