// NAdam (Dozat 2016, "Incorporating Nesterov momentum into Adam"), in the order of operations of
// torch/optim/nadam.py, _single_tensor_nadam.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct NAdam {
  static constexpr const char* kName = "nadam";

  struct Hyperparameters {
    double lr, beta1, beta2, eps, weightDecay, momentumDecay, decoupledWeightDecay, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta1", &H::beta1},
      {"beta2", &H::beta2},
      {"eps", &H::eps},
      {"weightDecay", &H::weightDecay},
      {"momentumDecay", &H::momentumDecay},
      {"decoupledWeightDecay", &H::decoupledWeightDecay},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float decay, weight, beta2, oneMinusBeta2, correction2, eps, gradStep, momentumStep;
  };

  enum : int { kDecay = 1, kDecoupled = 2, kFarLerp = 4 };
  static constexpr int kVariants = 8;

  struct Record {
    double step, muProduct;  // muProduct: a float32, as torch keeps it
    static constexpr const char* kNames[] = {"step", "muProduct"};
  };

  enum : int { kExpAvg, kExpAvgSq };

  static uint32_t states(const H&) { return 1u << kExpAvg | 1u << kExpAvgSq; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  // The momentum of a step, which grows from beta1 / 2 to beta1.
  static double momentum(const H& h, double step, ScalarMaker& f32) {
    return h.beta1 * (1 - 0.5 * f32.power(0.96, step * h.momentumDecay));
  }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    if (record.step == 0) record.muProduct = 1;
    const double step = ++record.step;
    const double mu = momentum(h, step, f32), muNext = momentum(h, step + 1, f32);
    record.muProduct = static_cast<float>(record.muProduct) * f32(mu);
    const bool decoupled = h.decoupledWeightDecay != 0;
    const Lerp lerp = f32.lerp(1 - h.beta1);
    s.decay = f32(decoupled ? 1 - h.lr * h.weightDecay : h.weightDecay);
    s.weight = lerp.weight;
    s.beta2 = f32(h.beta2);
    s.oneMinusBeta2 = f32(1 - h.beta2);
    s.correction2 = f32(1 - f32.power(h.beta2, step));
    s.eps = f32(h.eps);
    s.gradStep = f32(-h.lr * (1 - mu) / (1 - record.muProduct));
    s.momentumStep = f32(-h.lr * muNext / (1 - record.muProduct * muNext));
    return (h.weightDecay != 0 ? kDecay : 0) | (decoupled ? kDecoupled : 0) |
           (lerp.far ? kFarLerp : 0);
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
    const auto denominator = sqrt(expAvgSq / s.correction2) + s.eps;
    param = param + (s.gradStep * grad) / denominator;
    at.param(param + (s.momentumStep * expAvg) / denominator);
  }
};

}  // namespace gradstep
