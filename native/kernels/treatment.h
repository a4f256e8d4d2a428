// What an optimizer does to gradients on their way into the rule, as its user would have done to
// the arrays before the step: multiply, clamp, clip by a norm. They are read, not written.
#pragma once

#include "../math/elementary.h"

namespace gradstep {

// How much of an array is treated and stepped at a time: it and its states stay in the first two
// caches, and the kernels take it whole, however many values they take at once.
constexpr size_t kTreatedBlock = 1920;

// In this order, each operation rounded; NaN stays NaN. As they are here, nothing changes.
struct GradientFactors {
  float scale = 1;
  float bound = kInfinity;  // clamps to [-bound, bound]
  float coefficient = 1;

  bool change() const { return scale != 1 || bound != kInfinity || coefficient != 1; }
};

}  // namespace gradstep
