// Sums, maxima and counts over float32 arrays, in the one order that all backends share:
//
//   1. An array is cut into blocks of kReduceBlock elements, from its first element on.
//   2. Element i of a block goes to lane i % 16; each lane is gathered in the order of i, sums in
//      double.
//   3. The lanes of a block are joined as a tree: lane j with j + 8, then j + 4, j + 2, j + 1.
//   4. The blocks of an array are joined in their order, and then the arrays in theirs.
//
// So blocks may be reduced by any thread at any time, if their results are joined afterwards; and
// a parameter gives the same double whether it lies in an arena or alone. TypeScript's twin is
// lib/backend/portable/reduce.ts.
#pragma once

#include <stddef.h>

#include "../rules/shape.h"
#include "treatment.h"

namespace gradstep {

constexpr size_t kReduceLanes = 16;

enum Reduction {
  kSumOfSquares,  // squares of float32 are exact in double, so that fma changes nothing
  kSumOfAbs,
  kMaxAbs,    // NaN if any is NaN
  kMinAbs,    // NaN if any is NaN; infinity if there are none
  kNonZero,   // how many are not zero; NaN is not
  kNonFinite  // how many are infinite or NaN
};
constexpr int kReductions = kNonFinite + 1;

// Reduces at most one block, of values that are first scaled and clamped; the coefficient, which
// is only known afterwards, plays no part.
using ReduceKernel = double (*)(const float* x, size_t length, const GradientFactors& factors);

}  // namespace gradstep
