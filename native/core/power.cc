#include "power.h"

#include <cstdint>

namespace gradstep {
namespace {

// An unevaluated sum of two doubles: about 106 bits.
struct DoubleDouble {
  double high, low;
};

struct Halves {
  double high, low;
};

// Veltkamp's split: 26 and 27 bits, whose products are exact.
Halves split(double a) {
  const double c = 134217729.0 * a;
  const double high = c - (c - a);
  return {high, a - high};
}

DoubleDouble multiply(DoubleDouble a, DoubleDouble b) {
  const double product = a.high * b.high;
  const Halves x = split(a.high), y = split(b.high);
  // Dekker's TwoProduct: the rounding error of `product`, exactly.
  double error = x.low * y.low - (((product - x.high * y.high) - x.low * y.high) - x.high * y.low);
  error += a.high * b.low + a.low * b.high;
  const double high = product + error;
  return {high, error - (high - product)};
}

}  // namespace

double power(double base, double exponent) {
  DoubleDouble result{1, 0}, square{base, 0};
  for (auto n = static_cast<uint64_t>(exponent); n != 0; n >>= 1) {
    if (n & 1) result = multiply(result, square);
    if (n > 1) square = multiply(square, square);
  }
  return result.high + result.low;
}

double PowerMemo::operator()(double base, double exponent) {
  for (const Entry& entry : entries_) {
    if (entry.base == base && entry.exponent == exponent) return entry.value;
  }
  const double value = power(base, exponent);
  entries_[next_++ % 4] = {base, exponent, value};
  return value;
}

}  // namespace gradstep
