// The kernels of reduction.h, written once against V. Included inside a target region.
#pragma once

#include "../math/elementary.h"
#include "../simd/pack.h"
#include "reduction.h"

namespace gradstep {

// All 16 lanes as floats.
template <class V>
using Row = Pack<V, kReduceLanes / V::kLanes>;

template <class V>
GRADSTEP_INLINE Row<V> loadRow(const float* from) {
  Row<V> row;
  for (size_t j = 0; j < kReduceLanes / V::kLanes; j++) row.v[j] = V::load(from + j * V::kLanes);
  return row;
}

template <class V>
GRADSTEP_INLINE void storeRow(float* to, Row<V> row) {
  for (size_t j = 0; j < kReduceLanes / V::kLanes; j++) V::store(to + j * V::kLanes, row.v[j]);
}

// Joins 16 lanes as a tree.
template <class Join, class T>
GRADSTEP_INLINE T joinLanes(T* lanes, Join join) {
  for (size_t half = kReduceLanes / 2; half > 0; half /= 2) {
    for (size_t j = 0; j < half; j++) lanes[j] = join(lanes[j], lanes[j + half]);
  }
  return lanes[0];
}

// Sums in 16 double lanes, of what Term makes of each value.
template <class V, class Term>
class SumLanes {
 public:
  static constexpr float kAbsent = 0;
  static constexpr bool kMapsNothing = Term::kSquared;

  GRADSTEP_INLINE SumLanes() {
    for (auto& sum : sums_) sum = V::broadcastDouble(0);
  }
  static GRADSTEP_INLINE Row<V> map(Row<V> x) { return Term::map(x); }
  GRADSTEP_INLINE void take(Row<V> row) {
    for (size_t j = 0; j < kReduceLanes / V::kLanes; j++) {
      typename V::Double wide[kParts];
      V::widen(row.v[j], wide);
      add(j, wide);
    }
  }
  // As take(loadRow(x)), where map() changes nothing: a processor widens faster what it loads.
  GRADSTEP_INLINE void takeFrom(const float* x) {
    for (size_t j = 0; j < kReduceLanes / V::kLanes; j++) {
      typename V::Double wide[kParts];
      V::widenFrom(x + j * V::kLanes, wide);
      add(j, wide);
    }
  }
  GRADSTEP_INLINE double joined() const {
    double lanes[kReduceLanes];
    for (size_t k = 0; k < kReduceLanes / V::kDoubles; k++) {
      V::storeDouble(lanes + k * V::kDoubles, sums_[k]);
    }
    return joinLanes(lanes, [](double a, double b) { return a + b; });
  }

 private:
  static constexpr size_t kParts = V::kLanes / V::kDoubles;

  GRADSTEP_INLINE void add(size_t j, const typename V::Double* wide) {
    for (size_t k = 0; k < kParts; k++) {
      const auto term = Term::kSquared ? V::multiplyDouble(wide[k], wide[k]) : wide[k];
      sums_[j * kParts + k] = V::addDouble(sums_[j * kParts + k], term);
    }
  }

  typename V::Double sums_[kReduceLanes / V::kDoubles];
};

// The largest (kSign = 1) or smallest (-1) absolute value in 16 lanes: order plays no part.
template <class V, int kSign>
class ExtremeLanes {
 public:
  static constexpr bool kMapsNothing = false;
  static constexpr float kAbsent = kSign > 0 ? 0 : -kInfinity;

  // Written out: a constructor that the compiler makes would be outside of the target region.
  GRADSTEP_INLINE ExtremeLanes() : best_(kAbsent) {}
  static GRADSTEP_INLINE Row<V> map(Row<V> x) { return kSign > 0 ? abs(x) : -abs(x); }
  GRADSTEP_INLINE void take(Row<V> row) { best_ = maximum(best_, row); }
  GRADSTEP_INLINE double joined() const {
    float lanes[kReduceLanes];
    storeRow<V>(lanes, best_);
    const auto larger = [](float a, float b) { return a > b || a != a ? a : b; };
    return kSign * static_cast<double>(joinLanes(lanes, larger));
  }

 private:
  Row<V> best_;
};

struct Square {
  static constexpr bool kSquared = true;
  template <class P>
  static GRADSTEP_INLINE P map(P x) {
    return x;
  }
};

struct Absolute {
  static constexpr bool kSquared = false;
  template <class P>
  static GRADSTEP_INLINE P map(P x) {
    return abs(x);
  }
};

// x - x is 0 for what is finite, else NaN, which is not positive.
struct IsNonFinite {
  static constexpr bool kSquared = false;
  template <class P>
  static GRADSTEP_INLINE P map(P x) {
    return whenPositive((x - x) + P(1.0f), P(0.0f), P(1.0f));
  }
};

struct IsNonZero {
  static constexpr bool kSquared = false;
  template <class P>
  static GRADSTEP_INLINE P map(P x) {
    return whenPositive(abs(x), P(1.0f), IsNonFinite::map(x));
  }
};

template <class V, class Lanes, bool kTreated>
GRADSTEP_INLINE double reduceRows(const float* x, size_t length, const GradientFactors& factors) {
  const Row<V> scale(factors.scale), low(-factors.bound), high(factors.bound);
  const auto map = [&](Row<V> row) {
    return Lanes::map(kTreated ? clamp(row * scale, low, high) : row);
  };
  Lanes lanes;
  size_t i = 0;
  for (; i + kReduceLanes <= length; i += kReduceLanes) {
    if constexpr (!kTreated && Lanes::kMapsNothing) {
      lanes.takeFrom(x + i);
    } else {
      lanes.take(map(loadRow<V>(x + i)));
    }
  }
  if (i < length) {
    float row[kReduceLanes] = {};
    for (size_t j = 0; i + j < length; j++) row[j] = x[i + j];
    storeRow<V>(row, map(loadRow<V>(row)));
    for (size_t j = length - i; j < kReduceLanes; j++) row[j] = Lanes::kAbsent;
    lanes.take(loadRow<V>(row));
  }
  return lanes.joined();
}

template <class V, class Lanes>
double reduceKernel(const float* x, size_t length, const GradientFactors& factors) {
  const bool treated = factors.scale != 1 || factors.bound != GradientFactors().bound;
  return treated ? reduceRows<V, Lanes, true>(x, length, factors)
                 : reduceRows<V, Lanes, false>(x, length, factors);
}

// By Reduction.
template <class V>
struct Reductions {
  static constexpr ReduceKernel kKernels[kReductions] = {
      reduceKernel<V, SumLanes<V, Square>>,    reduceKernel<V, SumLanes<V, Absolute>>,
      reduceKernel<V, ExtremeLanes<V, 1>>,     reduceKernel<V, ExtremeLanes<V, -1>>,
      reduceKernel<V, SumLanes<V, IsNonZero>>, reduceKernel<V, SumLanes<V, IsNonFinite>>,
  };
};

}  // namespace gradstep
