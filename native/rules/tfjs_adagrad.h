// Adagrad as TensorFlow.js 4.22 has it (tfjs-core, adagrad_optimizer.ts), with its bits: every
// operation is rounded, none is fused. Epsilon is inside of the root.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct TfjsAdagrad {
  static constexpr const char* kName = "tfjsAdagrad";

  struct Hyperparameters {
    double lr, initialAccumulatorValue, eps;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"initialAccumulatorValue", &H::initialAccumulatorValue},
      {"eps", &H::eps},
  };

  struct Scalars {
    float negativeLr, initial, eps;
  };

  enum : int { kFirst = 1 };
  static constexpr int kVariants = 2;
  using Record = StepCount;

  enum : int { kAccumulator };

  static uint32_t states(const H&) { return 1u << kAccumulator; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    s = {f32(-h.lr), f32(h.initialAccumulatorValue), f32(h.eps)};
    return record.step++ == 0 ? kFirst : 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto grad = at.grad();
    auto accumulator = at.state(kAccumulator);
    if constexpr (variant & kFirst) accumulator = s.initial;
    accumulator = accumulator + grad * grad;
    at.state(kAccumulator, accumulator);
    at.param(grad / sqrt(accumulator + s.eps) * s.negativeLr + at.param());
  }
};

}  // namespace gradstep
