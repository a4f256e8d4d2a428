// Rprop (Riedmiller & Braun 1993), in the order of operations of torch/optim/rprop.py,
// _single_tensor_rprop.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct Rprop {
  static constexpr const char* kName = "rprop";

  struct Hyperparameters {
    double lr, etaMinus, etaPlus, stepSizeMin, stepSizeMax, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"etaMinus", &H::etaMinus},
      {"etaPlus", &H::etaPlus},
      {"stepSizeMin", &H::stepSizeMin},
      {"stepSizeMax", &H::stepSizeMax},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float lr, etaMinus, etaPlus, stepSizeMin, stepSizeMax;
  };

  enum : int { kFirst = 1 };
  static constexpr int kVariants = 2;
  using Record = StepCount;

  enum : int { kPrev, kStepSize };

  static uint32_t states(const H&) { return 1u << kPrev | 1u << kStepSize; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const bool first = record.step++ == 0;
    s = {f32(h.lr), f32(h.etaMinus), f32(h.etaPlus), f32(h.stepSizeMin), f32(h.stepSizeMax)};
    return first ? kFirst : 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    auto grad = at.grad();
    // Faster where the gradient keeps its sign, slower and no step where it turned.
    const auto product = grad * at.state(kPrev);
    const auto factor = whenPositive(product, s.etaPlus, whenPositive(-product, s.etaMinus, 1.0f));
    auto size = at.state(kStepSize);
    if constexpr (variant & kFirst) size = s.lr;
    size = size * factor;
    const auto clamped = minimum(maximum(size, s.stepSizeMin), s.stepSizeMax);
    at.state(kStepSize, clamped);
    grad = whenPositive(-product, 0.0f, grad);
    at.state(kPrev, grad);
    at.param(fma(-sign(grad), clamped, at.param()));
  }
};

}  // namespace gradstep
