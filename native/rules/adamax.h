// Adamax (Kingma & Ba 2015, arXiv:1412.6980, section 7.1), in the order of operations of
// torch/optim/adamax.py, _single_tensor_adamax.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct Adamax {
  static constexpr const char* kName = "adamax";

  struct Hyperparameters {
    double lr, beta1, beta2, eps, weightDecay, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta1", &H::beta1},
      {"beta2", &H::beta2},
      {"eps", &H::eps},
      {"weightDecay", &H::weightDecay},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float decay, weight, beta2, eps, negativeStepSize;
  };

  enum : int { kDecay = 1, kFarLerp = 2 };
  static constexpr int kVariants = 4;
  using Record = StepCount;

  enum : int { kExpAvg, kExpInf };

  static uint32_t states(const H&) { return 1u << kExpAvg | 1u << kExpInf; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const Lerp lerp = f32.lerp(1 - h.beta1);
    const double correction = 1 - f32.power(h.beta1, ++record.step);
    s = {f32(h.weightDecay), lerp.weight, f32(h.beta2), f32(h.eps), f32(-(h.lr / correction))};
    return (h.weightDecay != 0 ? kDecay : 0) | (lerp.far ? kFarLerp : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) grad = fma(s.decay, param, grad);
    const auto old = at.state(kExpAvg);
    const auto expAvg = fma(s.weight, grad - old, variant & kFarLerp ? grad : old);
    at.state(kExpAvg, expAvg);
    const auto expInf = maximum(at.state(kExpInf) * s.beta2, abs(grad) + s.eps);
    at.state(kExpInf, expInf);
    at.param(param + (s.negativeStepSize * expAvg) / expInf);
  }
};

}  // namespace gradstep
