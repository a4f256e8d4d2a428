// Lion (Chen et al. 2023, arXiv:2302.06675, program 1): the sign of an interpolated gradient. Not
// in torch; multiplications and additions as torch would do them: mul, then add with alpha.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct Lion {
  static constexpr const char* kName = "lion";

  struct Hyperparameters {
    double lr, beta1, beta2, weightDecay, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta1", &H::beta1},
      {"beta2", &H::beta2},
      {"weightDecay", &H::weightDecay},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float decay, beta1, oneMinusBeta1, beta2, oneMinusBeta2, negativeLr;
  };

  enum : int { kDecay = 1 };
  static constexpr int kVariants = 2;
  using Record = StepCount;

  enum : int { kExpAvg };

  static uint32_t states(const H&) { return 1u << kExpAvg; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    s = {f32(1 - h.lr * h.weightDecay),
         f32(h.beta1),
         f32(1 - h.beta1),
         f32(h.beta2),
         f32(1 - h.beta2),
         f32(-h.lr)};
    return h.weightDecay != 0 ? kDecay : 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) param = param * s.decay;
    const auto expAvg = at.state(kExpAvg);
    const auto direction = sign(fma(s.oneMinusBeta1, grad, expAvg * s.beta1));
    at.state(kExpAvg, fma(s.oneMinusBeta2, grad, expAvg * s.beta2));
    at.param(fma(s.negativeLr, direction, param));
  }
};

}  // namespace gradstep
