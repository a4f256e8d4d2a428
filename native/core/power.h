// beta^t for bias corrections, the same double in C++ and in TypeScript
// (lib/backend/portable/power.ts), and near enough to glibc's pow that the float32 scalars made
// from it agree. No libm: its last bit differs between systems.
#pragma once

namespace gradstep {

// base^exponent by binary exponentiation in double-double, rounded once; exponent: an integer >= 0.
double power(double base, double exponent);

// Remembers the last few powers: thousands of groups share a handful of (beta, t) pairs.
class PowerMemo {
 public:
  double operator()(double base, double exponent);

 private:
  struct Entry {
    double base = 0, exponent = -1, value = 0;
  };
  Entry entries_[4];
  unsigned next_ = 0;
};

}  // namespace gradstep
