// What a rule that sees shapes is told of a parameter.
#pragma once

#include <stddef.h>

namespace gradstep {

// How many values an array has, and the last two dimensions of a parameter that has as many: then
// it is matrices one after the other, each row by row. 0: it has fewer.
struct Shape {
  size_t length = 0, rows = 0, columns = 0;

  bool isMatrix() const { return rows > 0 && columns > 0; }
};

// Sums are made block by block (kernels/reduction.h).
constexpr size_t kReduceBlock = 4096;

static inline size_t blocksOf(size_t length) { return (length + kReduceBlock - 1) / kReduceBlock; }

}  // namespace gradstep
