// The p-norm over many arrays, and the coefficient that clips to it. The functions of
// lib/gradients and the options of a step share it; its twin is lib/backend/portable/norm.ts.
#pragma once

#include "../kernels/reduction.h"

namespace gradstep {

// How a norm of one order is gathered: blocks, joined to arrays, joined to a total.
class Norm {
 public:
  // order: any number, infinities included.
  explicit Norm(double order);

  // What at most kReduceBlock elements contribute.
  double block(const float* x, size_t length, const GradientFactors& factors) const;
  // The contributions of an array's blocks, joined in their order.
  double array(const float* x, size_t length, const GradientFactors& factors) const;
  // Joins the contributions of neighbouring blocks.
  double join(double a, double b) const;
  // The norm from the contributions of all arrays, as torch's norm of norms: for order 0, how many
  // arrays are not all zero. 0 without arrays. A float32, unless only a double can hold it.
  double total(const double* arrays, size_t count) const;

 private:
  double order_;
  int reduction_;
};

// How many values are infinite or NaN.
double countNonFinite(const float* x, size_t length);

// What clipping multiplies gradients by: max_norm / (total_norm + 1e-6), at most 1, in float32 as
// torch/nn/utils/clip_grad.py, but in double for a norm that is finite and not in float32. NaN for
// a NaN.
float clipCoefficient(double totalNorm, double maxNorm);

}  // namespace gradstep
