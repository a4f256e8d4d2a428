#include "norm.h"

#include <algorithm>
#include <cmath>

#include "active_table.h"
#include "../math/power.h"

namespace gradstep {
namespace {

// kReductions where there is no kernel: any other power is summed here.
int reductionOf(double order) {
  if (order == 2) return kSumOfSquares;
  if (order == 1) return kSumOfAbs;
  if (order == 0) return kNonZero;
  if (order == kInfinity) return kMaxAbs;
  if (order == -kInfinity) return kMinAbs;
  return kReductions;
}

// The sum of |x|^order over a block, in the order that reduction.h defines.
double sumOfPowers(const float* x, size_t length, const GradientFactors& factors, double order) {
  float values[kReduceBlock];
  activeTable().treat(factors, x, values, length);
  double lanes[kReduceLanes] = {};
  for (size_t i = 0; i < length; i++) {
    lanes[i % kReduceLanes] += power(std::fabs(values[i]), order);
  }
  for (size_t half = kReduceLanes / 2; half > 0; half /= 2) {
    for (size_t j = 0; j < half; j++) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

}  // namespace

Norm::Norm(double order) : order_(order), reduction_(reductionOf(order)) {}

double Norm::block(const float* x, size_t length, const GradientFactors& factors) const {
  if (reduction_ == kReductions) return sumOfPowers(x, length, factors, order_);
  return activeTable().reduce[reduction_](x, length, factors);
}

double Norm::join(double a, double b) const {
  if (reduction_ == kMaxAbs) return a > b || a != a ? a : b;
  if (reduction_ == kMinAbs) return a < b || a != a ? a : b;
  return a + b;
}

double Norm::array(const float* x, size_t length, const GradientFactors& factors) const {
  double result = block(x, std::min(length, kReduceBlock), factors);
  for (size_t i = kReduceBlock; i < length; i += kReduceBlock) {
    result = join(result, block(x + i, std::min(length - i, kReduceBlock), factors));
  }
  return result;
}

double Norm::total(const double* arrays, size_t count) const {
  double result = 0;
  for (size_t i = 0; i < count; i++) {
    const double part = order_ == 0 ? arrays[i] != 0 : arrays[i];
    result = i == 0 ? part : join(result, part);
  }
  if (order_ == 2) result = std::sqrt(result);
  if (reduction_ == kReductions) result = power(result, 1 / order_);
  const auto single = static_cast<float>(result);
  return std::isinf(single) ? result : static_cast<double>(single);
}

double countNonFinite(const float* x, size_t length) {
  double count = 0;
  for (size_t i = 0; i < length; i += kReduceBlock) {
    count += activeTable().reduce[kNonFinite](x + i, std::min(length - i, kReduceBlock), {});
  }
  return count;
}

float clipCoefficient(double totalNorm, double maxNorm) {
  const auto norm = static_cast<float>(totalNorm);
  const bool inDouble = std::isinf(norm) && std::isfinite(totalNorm);
  // A number over a tensor is, in torch, its reciprocal times the number.
  const float coefficient = inDouble ? static_cast<float>(maxNorm / totalNorm)
                                     : 1.0f / (norm + 1e-6f) * static_cast<float>(maxNorm);
  return coefficient > 1 ? 1 : coefficient;
}

}  // namespace gradstep
