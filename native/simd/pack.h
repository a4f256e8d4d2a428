// A pack: U vectors that are worked on together, so that one's latency hides another's. Rules are
// written against packs; a float32 scalar broadcasts. Included inside a target region.
#pragma once

#include <stddef.h>

#include "inline.h"

namespace gradstep {

template <class V, int U>
struct Pack {
  typename V::Vector v[U];

  Pack() = default;
  GRADSTEP_INLINE Pack(float scalar) {
    for (int j = 0; j < U; j++) v[j] = V::broadcast(scalar);
  }

  friend GRADSTEP_INLINE Pack operator+(Pack a, Pack b) { return map(V::add, a, b); }
  friend GRADSTEP_INLINE Pack operator-(Pack a, Pack b) { return map(V::subtract, a, b); }
  friend GRADSTEP_INLINE Pack operator*(Pack a, Pack b) { return map(V::multiply, a, b); }
  friend GRADSTEP_INLINE Pack operator/(Pack a, Pack b) { return map(V::divide, a, b); }
  friend GRADSTEP_INLINE Pack operator-(Pack a) { return map(V::negate, a); }
  friend GRADSTEP_INLINE Pack sqrt(Pack a) { return map(V::sqrt, a); }
  friend GRADSTEP_INLINE Pack abs(Pack a) { return map(V::abs, a); }
  // x > 0 ? a : b, lane by lane; NaN is not > 0.
  friend GRADSTEP_INLINE Pack whenPositive(Pack x, Pack a, Pack b) {
    return map(V::whenPositive, x, a, b);
  }
  // -1, 0 or 1; 0 for NaN, as in torch.
  friend GRADSTEP_INLINE Pack sign(Pack x) {
    return whenPositive(x, Pack(1.0f), whenPositive(-x, Pack(-1.0f), Pack(0.0f)));
  }
  // NaN if either is NaN.
  friend GRADSTEP_INLINE Pack minimum(Pack a, Pack b) { return -maximum(-a, -b); }
  friend GRADSTEP_INLINE Pack maximum(Pack a, Pack b) { return map(V::maximum, a, b); }
  // At least low and at most high; NaN stays NaN, and a zero its sign.
  friend GRADSTEP_INLINE Pack clamp(Pack x, Pack low, Pack high) {
    return map(V::clamp, x, low, high);
  }
  // sqrt(x) / divisor, with the bits of these two operations, where `reciprocal` is 1 / divisor and
  // the divisor in [2^-30, 1]. The divider is what binds Adam in cache, so both are taken from it
  // as far as that pays: the division is three operations (Markstein 1990; no root is subnormal),
  // and of a large pack one root is computed too. What these forms are wrong for ends in NaN or is
  // tiny: then all is done again by the divider.
  friend GRADSTEP_INLINE Pack rootOver(Pack x, float divisor, float reciprocal) {
    if (!V::kHasFma) return sqrt(x) / divisor;
    constexpr bool kComputes = V::kComputesRoots && U >= V::kUnroll;
    Pack root;
    for (int j = kComputes ? 1 : 0; j < U; j++) root.v[j] = V::sqrt(x.v[j]);
    if constexpr (kComputes) root.v[0] = V::computedSqrt(x.v[0]);
    const Pack quotient = root * reciprocal;
    const Pack exact = fma(minusFma(quotient, divisor, root), reciprocal, quotient);
    auto sum = exact.v[0];
    for (int j = 1; j < U; j++) sum = V::add(sum, exact.v[j]);
    bool wrong = V::hasNaN(sum);
    if constexpr (kComputes) wrong |= V::hasTiny(x.v[0]);
    return GRADSTEP_UNLIKELY(wrong) ? sqrt(x) / divisor : exact;
  }
  // c - a * b, rounded once.
  friend GRADSTEP_INLINE Pack minusFma(Pack a, Pack b, Pack c) { return map(V::minusFma, a, b, c); }
  // a * b + c, rounded once.
  friend GRADSTEP_INLINE Pack fma(Pack a, Pack b, Pack c) { return map(V::fma, a, b, c); }

 private:
  template <class Operation, class... Packs>
  static GRADSTEP_INLINE Pack map(Operation operation, Packs... packs) {
    Pack result;
    for (int j = 0; j < U; j++) result.v[j] = operation(packs.v[j]...);
    return result;
  }
};

}  // namespace gradstep
