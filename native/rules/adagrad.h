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

  enum : int { kDecay = 1, kFirst = 2 };
  static constexpr int kVariants = 4;
  using Record = StepCount;

  enum : int { kSum };

  static uint32_t states(const H&) { return 1u << kSum; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const double count = record.step++;  // the decay of lr starts at the second step
    s = {f32(h.weightDecay), f32(h.eps), f32(-(h.lr / (1 + count * h.lrDecay))),
         f32(h.initialAccumulatorValue)};
    return (h.weightDecay != 0 ? kDecay : 0) | (count == 0 ? kFirst : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) grad = fma(s.decay, param, grad);
    auto sum = at.state(kSum);
    if constexpr (variant & kFirst) sum = s.initial;
    sum = fma(grad, grad, sum);
    at.state(kSum, sum);
    at.param(param + (s.negativeLr * grad) / (sqrt(sum) + s.eps));
  }
};

}  // namespace gradstep
