#include "norm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../simd/dispatch.h"

namespace gradstep {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Reduction reductionOf(double order) {
  if (order == 2) return kSumOfSquares;
  if (order == 1) return kSumOfAbs;
  if (order == 0) return kNonZero;
  if (order == kInfinity) return kMaxAbs;
  return kMinAbs;
}

double joined(Reduction reduction, double a, double b) {
  if (reduction == kMaxAbs) return a > b || a != a ? a : b;
  if (reduction == kMinAbs) return a < b || a != a ? a : b;
  return a + b;
}

}  // namespace

Norm::Norm(double order) : order_(order), reduction_(reductionOf(order)) {}

double Norm::block(const float* x, size_t length, const GradientFactors& factors) const {
  return activeTable().reduce[reduction_](x, length, factors);
}

double Norm::join(double a, double b) const { return joined(reduction_, a, b); }

double Norm::array(const float* x, size_t length, const GradientFactors& factors) const {
  double result = block(x, std::min(length, kReduceBlock), factors);
  for (size_t i = kReduceBlock; i < length; i += kReduceBlock) {
    result = join(result, block(x + i, std::min(length - i, kReduceBlock), factors));
  }
  return result;
}

float Norm::total(const double* arrays, size_t count) const {
  double result = 0;
  for (size_t i = 0; i < count; i++) {
    const double part = order_ == 0 ? arrays[i] != 0 : arrays[i];
    result = i == 0 ? part : join(result, part);
  }
  return static_cast<float>(order_ == 2 ? std::sqrt(result) : result);
}

double countNonFinite(const float* x, size_t length) {
  double count = 0;
  for (size_t i = 0; i < length; i += kReduceBlock) {
    count += activeTable().reduce[kNonFinite](x + i, std::min(length - i, kReduceBlock), {});
  }
  return count;
}

float clipCoefficient(float totalNorm, double maxNorm) {
  // A number over a tensor is, in torch, its reciprocal times the number.
  const float coefficient = 1.0f / (totalNorm + 1e-6f) * static_cast<float>(maxNorm);
  return coefficient > 1 ? 1 : coefficient;
}

}  // namespace gradstep
