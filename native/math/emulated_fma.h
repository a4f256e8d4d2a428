// fma(a, b, c) of float32 with one rounding, for processors without the instruction; line for
// line lib/backend/portable/fma.ts.
#pragma once

#include "elementary.h"

namespace gradstep {

// The exact error of the double sum s = p + c (Knuth's TwoSum).
static inline double sumError(double p, double c, double s) {
  const double z = s - p;
  return (p - (s - z)) + (c - z);
}

static inline float emulatedFma(float a, float b, float c) {
  const double p = static_cast<double>(a) * b;  // exact: 24 + 24 bits
  const double s = p + c;
  const float r = static_cast<float>(s);
  const double d = s - r;
  if (d == 0) return r;
  // Rounding twice goes wrong only where s, itself rounded, lies midway between two floats.
  const double t = r + 2 * d;
  if (static_cast<double>(static_cast<float>(t)) == t) {
    const double e = sumError(p, c, s);
    return e != 0 && (e > 0) == (d > 0) ? static_cast<float>(t) : r;
  }
  // Midway between the largest float and infinity, t is no number.
  constexpr double kOverflowTie = 0x1.ffffffp127;
  if (absolute(s) == kOverflowTie && sumError(p, c, s) * s < 0) return s > 0 ? FLT_MAX : -FLT_MAX;
  return r;
}

}  // namespace gradstep
