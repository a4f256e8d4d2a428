// Which bytes belong to whom: parameters' data and the optimizer's own state may never overlap.
// Ordered by address, so that one question costs a logarithm, whatever the number of parameters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace gradstep {

class MemoryMap {
 public:
  static constexpr int64_t kNobody = -2;
  static constexpr int64_t kState = -1;  // memory of the optimizer itself; others are slot numbers

  // Claims a range for `owner`; returns kNobody, or who already holds a part of it.
  int64_t claim(const void* begin, size_t bytes, int64_t owner);
  // Lets the range that `owner` claimed there be at least so long; false if somebody is in the way.
  bool extend(const void* begin, size_t bytes, int64_t owner);
  // False if there is no such claim.
  bool release(const void* begin, int64_t owner);
  // What `owner` claimed there is another's.
  void rename(const void* begin, int64_t owner, int64_t name);
  // Who holds a part of the range, or kNobody.
  int64_t holder(const void* begin, size_t bytes) const;

 private:
  struct Range {
    uintptr_t end;
    int64_t owner;
  };
  using Ranges = std::map<uintptr_t, Range>;

  int64_t holderBefore(Ranges::const_iterator next, uintptr_t from, size_t bytes) const;

  Ranges ranges_;
};

}  // namespace gradstep
