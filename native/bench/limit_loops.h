// What a step is measured against. "stream" reads and writes the bytes that a step reads and
// writes, in place, and computes nothing; "divide" does an exact root and an exact division for
// each value, and touches no memory. No exact step can be faster than the slower of the two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradstep {

struct LimitLoops {
  const char* isa;

  // In [from, to): exchanges the bits `mask` of each gradient, arrays[1], into arrays[0] and into
  // every array after the gradient's. With a mask of 0 all values stay, but all are written.
  void (*stream)(float* const* arrays, int count, size_t from, size_t to, uint32_t mask);

  // The root and the reciprocal of 1, 2, 3, … for each vector, summed over all lanes.
  double (*divide)(size_t values);
};

// The loops of this instruction set, or null if the processor lacks it. What is neither "avx512"
// nor "avx2" gets the loops that the compiler makes for its baseline.
const LimitLoops* findLimitLoops(const char* isa);

}  // namespace gradstep
