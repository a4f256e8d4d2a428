// base^exponent for the scalars of rules, the same double in C++ and in TypeScript
// (lib/support/power.ts), and near enough to glibc's pow that the float32 scalars made
// from it agree. No libm: the last bit differs between systems.
#pragma once

#include <stdint.h>

namespace gradstep {

// An unevaluated sum of two doubles: about 106 bits.
struct DoubleDouble {
  double high, low;
};

// base^exponent in double-double, rounded once: whole powers of a base below 1, as in bias
// corrections, by binary exponentiation, all others as e^(exponent ln base). NaN for base < 0.
double power(double base, double exponent);

// Remembers the last few powers: thousands of groups, or of optimizers, share a handful of (beta,
// t) pairs. And the squarings of the last few bases, since every step asks for the next power of
// the same betas.
class PowerMemo {
 public:
  double operator()(double base, double exponent);

 private:
  // base^(2^k) for k < known.
  struct Squarings {
    double base = 1;
    int known = 0;
    DoubleDouble powers[53];
  };

  double compute(double base, double exponent);

  struct Entry {
    double base = 1, exponent = 0, value = 1;
  };
  static constexpr unsigned kEntries = 8, kBases = 4;
  Entry entries_[kEntries];
  unsigned next_ = 0;
  Squarings squarings_[kBases];
  unsigned nextSquarings_ = 0;
};

}  // namespace gradstep
