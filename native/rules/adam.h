// Adam (Kingma & Ba 2015, arXiv:1412.6980), AMSGrad (Reddi et al. 2018) and AdamW (Loshchilov &
// Hutter 2019, arXiv:1711.05101), in the order of operations of torch/optim/adam.py,
// _single_tensor_adam. AdamW is Adam with decoupled decay.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

template <bool kDecoupled>
struct AdamRule {
  static constexpr const char* kName = kDecoupled ? "adamw" : "adam";

  struct Hyperparameters {
    double lr, beta1, beta2, eps, weightDecay, amsgrad, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta1", &H::beta1},
      {"beta2", &H::beta2},
      {"eps", &H::eps},
      {"weightDecay", &H::weightDecay},
      {"amsgrad", &H::amsgrad},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float decay, weight, beta2, oneMinusBeta2, rootCorrection2, reciprocal2, eps, negativeStepSize;
  };

  enum : int { kDecay = 1, kAmsgrad = 2, kFarLerp = 4 };
  static constexpr int kVariants = 8;
  using Record = StepCount;

  enum : int { kExpAvg, kExpAvgSq, kMaxExpAvgSq };

  static uint32_t states(const H& h) {
    return 1u << kExpAvg | 1u << kExpAvgSq | (h.amsgrad != 0 ? 1u << kMaxExpAvgSq : 0);
  }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const double step = ++record.step;
    const double correction1 = 1 - f32.power(h.beta1, step);
    const double correction2 = 1 - f32.power(h.beta2, step);
    const Lerp lerp = f32.lerp(1 - h.beta1);
    s.weight = lerp.weight;
    s.decay = f32(kDecoupled ? 1 - h.lr * h.weightDecay : h.weightDecay);
    s.beta2 = f32(h.beta2);
    s.oneMinusBeta2 = f32(1 - h.beta2);
    s.rootCorrection2 = f32(squareRoot(correction2));
    s.reciprocal2 = 1 / s.rootCorrection2;
    s.eps = f32(h.eps);
    s.negativeStepSize = f32(-(h.lr / correction1));
    return (h.weightDecay != 0 ? kDecay : 0) | (h.amsgrad != 0 ? kAmsgrad : 0) |
           (lerp.far ? kFarLerp : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) {
      if constexpr (kDecoupled)
        param = param * s.decay;
      else
        grad = fma(s.decay, param, grad);
    }
    const auto expAvg = at.state(kExpAvg);
    const auto newExpAvg = fma(s.weight, grad - expAvg, variant & kFarLerp ? grad : expAvg);
    auto second = fma(s.oneMinusBeta2 * grad, grad, at.state(kExpAvgSq) * s.beta2);
    at.state(kExpAvg, newExpAvg);
    at.state(kExpAvgSq, second);
    if constexpr (variant & kAmsgrad) {
      second = maximum(at.state(kMaxExpAvgSq), second);
      at.state(kMaxExpAvgSq, second);
    }
    const auto root = rootOver(second, s.rootCorrection2, s.reciprocal2);
    const auto denominator = root + s.eps;
    at.param(param + (s.negativeStepSize * newExpAvg) / denominator);
  }
};

using Adam = AdamRule<false>;
using AdamW = AdamRule<true>;

}  // namespace gradstep
