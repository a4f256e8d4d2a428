// Stochastic gradient descent with momentum (Sutskever et al. 2013), in the order of operations of
// torch/optim/sgd.py, _single_tensor_sgd.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct Sgd {
  static constexpr const char* kName = "sgd";

  struct Hyperparameters {
    double lr, momentum, dampening, weightDecay, nesterov, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"momentum", &H::momentum},
      {"dampening", &H::dampening},
      {"weightDecay", &H::weightDecay},
      {"nesterov", &H::nesterov},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float negativeLr, momentum, oneMinusDampening, weightDecay;
  };

  // What is off is absent, never multiplied by zero: 0 * Inf would be NaN.
  enum : int { kDecay = 1, kMomentum = 2, kNesterov = 4, kFirst = 8, kDampened = 16 };
  static constexpr int kVariants = 32;
  using Record = StepCount;

  enum : int { kMomentumBuffer };

  static uint32_t states(const H& h) { return h.momentum != 0 ? 1u << kMomentumBuffer : 0; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const bool first = record.step == 0;
    // Without momentum torch keeps no state; the count is the age of the momentum buffer.
    if (h.momentum != 0) ++record.step;
    s = {f32(-h.lr), f32(h.momentum), f32(1 - h.dampening), f32(h.weightDecay)};
    return (h.weightDecay != 0 ? kDecay : 0) | (h.momentum != 0 ? kMomentum : 0) |
           (h.nesterov != 0 ? kNesterov : 0) | (first ? kFirst : 0) |
           (h.dampening != 0 ? kDampened : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) grad = fma(s.weightDecay, param, grad);
    if constexpr (variant & kMomentum) {
      auto buffer = grad;  // the first momentum is a copy, without dampening
      if constexpr (!(variant & kFirst)) {
        buffer = at.state(kMomentumBuffer) * s.momentum;
        if constexpr (variant & kDampened)
          buffer = fma(s.oneMinusDampening, grad, buffer);
        else
          buffer = grad + buffer;
      }
      at.state(kMomentumBuffer, buffer);
      grad = variant & kNesterov ? fma(s.momentum, buffer, grad) : buffer;
    }
    at.param(fma(s.negativeLr, grad, param));
  }
};

}  // namespace gradstep
