// RAdam (Liu et al. 2020, arXiv:1908.03265), in the order of operations of torch/optim/radam.py,
// _single_tensor_radam.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct RAdam {
  static constexpr const char* kName = "radam";

  struct Hyperparameters {
    double lr, beta1, beta2, eps, weightDecay, maximize, decoupledWeightDecay;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta1", &H::beta1},
      {"beta2", &H::beta2},
      {"eps", &H::eps},
      {"weightDecay", &H::weightDecay},
      {"maximize", &H::maximize},
      {"decoupledWeightDecay", &H::decoupledWeightDecay},
  };

  struct Scalars {
    float decay, weight, beta2, oneMinusBeta2, correction1, rootCorrection2, eps, lr, rectification;
  };

  enum : int { kDecay = 1, kDecoupled = 2, kFarLerp = 4, kRectified = 8 };
  static constexpr int kVariants = 16;
  using Record = StepCount;

  enum : int { kExpAvg, kExpAvgSq };

  static uint32_t states(const H&) { return 1u << kExpAvg | 1u << kExpAvgSq; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const double step = ++record.step;
    const double power2 = f32.power(h.beta2, step);
    const double correction1 = 1 - f32.power(h.beta1, step), correction2 = 1 - power2;
    // The length of the average, and whether it is long enough for its variance to be trusted.
    const double rhoInf = 2 / (1 - h.beta2) - 1;
    const double rho = rhoInf - 2 * step * power2 / correction2;
    const bool rectified = rho > 5;
    const double rectification =
        squareRoot((rho - 4) * (rho - 2) * rhoInf / ((rhoInf - 4) * (rhoInf - 2) * rho));
    const bool decoupled = h.decoupledWeightDecay != 0;
    const Lerp lerp = f32.lerp(1 - h.beta1);
    s.decay = f32(decoupled ? 1 - h.lr * h.weightDecay : h.weightDecay);
    s.weight = lerp.weight;
    s.beta2 = f32(h.beta2);
    s.oneMinusBeta2 = f32(1 - h.beta2);
    s.correction1 = f32(correction1);
    s.rootCorrection2 = f32(squareRoot(correction2));
    s.eps = f32(h.eps);
    s.lr = f32(h.lr);
    s.rectification = rectified ? f32(rectification) : 0;
    return (h.weightDecay != 0 ? kDecay : 0) | (decoupled ? kDecoupled : 0) |
           (lerp.far ? kFarLerp : 0) | (rectified ? kRectified : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) {
      if constexpr (variant & kDecoupled)
        param = param * s.decay;
      else
        grad = fma(s.decay, param, grad);
    }
    const auto old = at.state(kExpAvg);
    const auto expAvg = fma(s.weight, grad - old, variant & kFarLerp ? grad : old);
    const auto expAvgSq = fma(s.oneMinusBeta2 * grad, grad, at.state(kExpAvgSq) * s.beta2);
    at.state(kExpAvg, expAvg);
    at.state(kExpAvgSq, expAvgSq);
    auto change = expAvg / s.correction1 * s.lr;
    if constexpr (variant & kRectified) {
      // torch's scalar / tensor: the reciprocal, rounded, times the scalar.
      const auto adaptive = 1.0f / (sqrt(expAvgSq) + s.eps) * s.rootCorrection2;
      change = change * adaptive * s.rectification;
    }
    at.param(param - change);
  }
};

}  // namespace gradstep
