// ASGD (Polyak & Juditsky 1992; rates after Bottou 2010), in the order of operations of
// torch/optim/asgd.py, _single_tensor_asgd.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct Asgd {
  static constexpr const char* kName = "asgd";

  struct Hyperparameters {
    double lr, lambd, alpha, t0, weightDecay, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"lambd", &H::lambd},
      {"alpha", &H::alpha},
      {"t0", &H::t0},
      {"weightDecay", &H::weightDecay},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float decay, shrink, negativeEta, mu;
  };

  enum : int { kDecay = 1, kAverage = 2 };
  static constexpr int kVariants = 4;

  // The rate of the next step, and its weight in the average: float32s, as torch keeps them.
  struct Record {
    double step, eta, mu;
    static constexpr const char* kNames[] = {"step", "eta", "mu"};
  };

  enum : int { kAx };

  static uint32_t states(const H&) { return 1u << kAx; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    if (record.step == 0) record = {0, f32(h.lr), 1};
    const double step = ++record.step, eta = record.eta, mu = record.mu;
    s = {f32(h.weightDecay), f32(1 - h.lambd * eta), f32(-eta), f32(mu)};
    record.eta = f32(h.lr / f32.power(1 + h.lambd * h.lr * step, h.alpha));
    const double averaged = step - h.t0;
    record.mu = f32(1 / (averaged > 1 ? averaged : 1));
    return (h.weightDecay != 0 ? kDecay : 0) | (mu != 1 ? kAverage : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) grad = fma(s.decay, param, grad);
    param = fma(s.negativeEta, grad, param * s.shrink);
    at.param(param);
    if constexpr (variant & kAverage) {
      const auto average = at.state(kAx);
      at.state(kAx, average + (param - average) * s.mu);
    } else {
      at.state(kAx, param);
    }
  }
};

}  // namespace gradstep
