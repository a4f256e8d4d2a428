// AdEMAMix (Pagliardini, Ablin & Grangier 2024, arXiv:2409.03137, algorithm 1): AdamW with a
// second, slow average of the gradient. Not in torch; moments as in its Adam.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct AdEmaMix {
  static constexpr const char* kName = "ademamix";

  struct Hyperparameters {
    double lr, beta1, beta2, beta3, alpha, eps, weightDecay, alphaWarmup, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta1", &H::beta1},
      {"beta2", &H::beta2},
      {"beta3", &H::beta3},
      {"alpha", &H::alpha},
      {"eps", &H::eps},
      {"weightDecay", &H::weightDecay},
      {"alphaWarmup", &H::alphaWarmup},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    Lerp fast, slow;
    float beta2, oneMinusBeta2, correction1, rootCorrection2, eps, alpha, weightDecay, negativeLr;
  };

  enum : int { kDecay = 1, kFarFast = 2, kFarSlow = 4 };
  static constexpr int kVariants = 8;
  using Record = StepCount;

  enum : int { kExpAvg, kExpAvgSlow, kExpAvgSq };

  static uint32_t states(const H&) { return 1u << kExpAvg | 1u << kExpAvgSlow | 1u << kExpAvgSq; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const double step = ++record.step;
    const bool rises = step < h.alphaWarmup;
    s.fast = f32.lerp(1 - h.beta1);
    s.slow = f32.lerp(1 - h.beta3);
    s.beta2 = f32(h.beta2);
    s.oneMinusBeta2 = f32(1 - h.beta2);
    s.correction1 = f32(1 - f32.power(h.beta1, step));
    s.rootCorrection2 = f32(squareRoot(1 - f32.power(h.beta2, step)));
    s.eps = f32(h.eps);
    s.alpha = f32(rises ? h.alpha * step / h.alphaWarmup : h.alpha);
    s.weightDecay = f32(h.weightDecay);
    s.negativeLr = f32(-h.lr);
    return (h.weightDecay != 0 ? kDecay : 0) | (s.fast.far ? kFarFast : 0) |
           (s.slow.far ? kFarSlow : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto param = at.param();
    const auto grad = at.grad();
    const auto fast = at.state(kExpAvg), slow = at.state(kExpAvgSlow);
    const auto newFast = fma(s.fast.weight, grad - fast, variant & kFarFast ? grad : fast);
    const auto newSlow = fma(s.slow.weight, grad - slow, variant & kFarSlow ? grad : slow);
    const auto second = fma(s.oneMinusBeta2 * grad, grad, at.state(kExpAvgSq) * s.beta2);
    at.state(kExpAvg, newFast);
    at.state(kExpAvgSlow, newSlow);
    at.state(kExpAvgSq, second);
    const auto denominator = sqrt(second) / s.rootCorrection2 + s.eps;
    auto update = fma(s.alpha, newSlow, newFast / s.correction1) / denominator;
    if constexpr (variant & kDecay) update = fma(s.weightDecay, param, update);
    at.param(fma(s.negativeLr, update, param));
  }
};

}  // namespace gradstep
