// Memory that asynchronous steps of any environment are working on: nobody else may step it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gradstep {

class BusyMemory {
 public:
  // Bytes of one step, written or only read.
  struct Range {
    uintptr_t begin, end;
    bool writes;
  };

  // Takes all of the ranges for `owner`, unless one conflicts with what others hold: then nothing
  // is taken, and its place in the list is returned. kFree: they are taken.
  static constexpr size_t kFree = static_cast<size_t>(-1);
  static size_t take(const void* owner, std::vector<Range> ranges);
  static void release(const void* owner);

  // Whether nothing is held at all: the usual case, at the cost of one load.
  static bool idle();
  // The place of the first range that conflicts with what is held, or kFree.
  static size_t conflict(const std::vector<Range>& ranges);
};

}  // namespace gradstep
