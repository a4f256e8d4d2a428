// Memory that steps are working on, in any environment of the process. A step on the caller's
// thread and one in the background never share what either writes; two on their callers' threads
// may (workers that train one model without locks do), two in the background may not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gradstep {

// The bytes that one step reads and writes.
class Footprint {
 public:
  struct Range {
    uintptr_t begin, end;
    bool writes;
  };

  void clear();
  void add(const void* begin, size_t bytes, bool writes);
  // After the last add(): what is asked for below.
  void sort();

  // In the order in which they were added.
  const std::vector<Range>& ranges() const { return ranges_; }
  // Sorted, and what overlaps joined.
  const std::vector<Range>& disjoint() const { return disjoint_; }

 private:
  std::vector<Range> ranges_, disjoint_;
};

class BusyMemory {
 public:
  // Where the step of a footprint runs: on the caller's thread, or on another while the caller
  // goes on.
  enum Where { kHere, kBackground };

  // Takes all of a footprint, unless a range of it conflicts with what others hold: then nothing is
  // taken, and the place of the range among ranges() is returned. kFree: it is taken, and borrowed
  // until release().
  static constexpr size_t kFree = static_cast<size_t>(-1);
  static size_t take(const Footprint& footprint, Where where);
  static void release(const Footprint& footprint);

  // The place of the first range that a step here could not have, or kFree.
  static size_t conflict(const Footprint& footprint);
  // Whether no step is in the background: then nothing conflicts with one here.
  static bool idle();

  // Whether a step here of so many floats has to take its memory. Nobody else can begin one in the
  // background meanwhile where there is one environment; and no other environment comes up in the
  // microseconds of a small one.
  static bool isWatched(size_t floats);
  static void enterEnvironment();
  static void leaveEnvironment();
};

// Gives back what it has taken when it goes, whatever is thrown meanwhile.
class BusyMemoryTaker {
 public:
  BusyMemoryTaker() = default;
  BusyMemoryTaker(const BusyMemoryTaker&) = delete;
  BusyMemoryTaker& operator=(const BusyMemoryTaker&) = delete;
  ~BusyMemoryTaker() { release(); }

  size_t take(const Footprint& footprint, BusyMemory::Where where) {
    release();
    const size_t found = BusyMemory::take(footprint, where);
    if (found == BusyMemory::kFree) taken_ = &footprint;
    return found;
  }

  void release() {
    if (taken_ != nullptr) BusyMemory::release(*taken_);
    taken_ = nullptr;
  }

 private:
  const Footprint* taken_ = nullptr;
};

}  // namespace gradstep
