// Runs plans: on this thread, or in chunks that the pool's helpers share.
#pragma once

#include <cstddef>

#include "plan.h"
#include "../kernels/treatment.h"

namespace gradstep {

// A plan, and what its optimizer does to memory beside the rule.
struct PlannedStep {
  const Plan* plan;
  GradientFactors factors;
  // By span, instead of factors.coefficient; null: the same for all.
  const float* coefficients = nullptr;
  // Plans of one run each, whose spans read as gradients what these spans have just written:
  // averages of the parameters, while they are in the cache.
  const Plan* const* followers = nullptr;
  size_t followerCount = 0;
  int threads = 0;  // how many may work on it; 0: as many as there are
  // Of a plan that takes parameters whole: room for its longest gradient, in whole lines, and then
  // for what its rule asks for.
  float* workspace = nullptr;
  bool zeroGrad = false;        // gradients are zeros afterwards
  bool flushDenormals = false;  // the processor takes subnormal numbers for zeros meanwhile
};

// Every kernel of every plan, once. Nothing can fail once the first has begun.
void execute(const PlannedStep* steps, size_t count);

}  // namespace gradstep
