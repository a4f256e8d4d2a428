// Adagrad (Duchi, Hazan & Singer 2011), in the order of operations of torch/optim/adagrad.py,
// _single_tensor_adagrad.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct Adagrad {
  static constexpr const char* kName = "adagrad";

  struct Hyperparameters {
    double lr, lrDecay, eps, weightDecay, initialAccumulatorValue, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"lrDecay", &H::lrDecay},
      {"eps", &H::eps},
      {"weightDecay", &H::weightDecay},
      {"initialAccumulatorValue", &H::initialAccumulatorValue},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float decay, eps, negativeLr, initial;
  };

  enum : int { kMaximize = 1, kDecay = 2, kFirst = 4 };
  static constexpr int kVariants = 8;
  static constexpr bool kByCount = true;

  enum : int { kSum };

  static uint32_t states(const H&) { return 1u << kSum; }

  static bool counts(const H&) { return true; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, double count, ScalarMaker& f32, Scalars& s) {
    // torch's step is count + 1, and the decay of lr starts at its second.
    s = {f32(h.weightDecay), f32(h.eps), f32(-(h.lr / (1 + count * h.lrDecay))),
         f32(h.initialAccumulatorValue)};
    return (h.maximize != 0 ? kMaximize : 0) | (h.weightDecay != 0 ? kDecay : 0) |
           (count == 0 ? kFirst : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kMaximize) grad = -grad;
    if constexpr (variant & kDecay) grad = fma(s.decay, param, grad);
    auto sum = at.state(kSum);
    if constexpr (variant & kFirst) sum = s.initial;
    sum = fma(grad, grad, sum);
    at.state(kSum, sum);
    at.param(param + (s.negativeLr * grad) / (sqrt(sum) + s.eps));
  }
};

}  // namespace gradstep
