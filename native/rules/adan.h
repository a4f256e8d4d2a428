// Adan (Xie et al. 2022, arXiv:2208.06677, algorithm 1, as its authors run it): Nesterov's momentum
// from the differences of gradients. Not in torch; moments and divisions as in its Adam.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct Adan {
  static constexpr const char* kName = "adan";

  struct Hyperparameters {
    double lr, beta1, beta2, beta3, eps, weightDecay, noProx, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},         {"beta1", &H::beta1},       {"beta2", &H::beta2},
      {"beta3", &H::beta3},   {"eps", &H::eps},           {"weightDecay", &H::weightDecay},
      {"noProx", &H::noProx}, {"maximize", &H::maximize},
  };

  struct Scalars {
    Lerp first, difference;
    float beta2, beta3, oneMinusBeta3, rootCorrection3, eps, negativeStepSize, negativeDiffSize,
        decay;
    bool isFirst;
  };

  // kDecay: in front, as AdamW's; kProximal: behind, by division.
  // Which end a lerp starts from is chosen as it runs: sixteen kernels more would be code for
  // little.
  enum : int { kDecay = 1, kProximal = 2 };
  static constexpr int kVariants = 4;
  using Record = StepCount;

  enum : int { kExpAvg, kExpAvgDiff, kExpAvgSq, kPreviousGrad };

  static uint32_t states(const H&) { return 0xf; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const double step = ++record.step;
    const double correction1 = 1 - f32.power(h.beta1, step);
    const double correction2 = 1 - f32.power(h.beta2, step);
    const double correction3 = 1 - f32.power(h.beta3, step);
    s.first = f32.lerp(1 - h.beta1);
    s.difference = f32.lerp(1 - h.beta2);
    s.beta2 = f32(h.beta2);
    s.beta3 = f32(h.beta3);
    s.oneMinusBeta3 = f32(1 - h.beta3);
    s.rootCorrection3 = f32(squareRoot(correction3));
    s.eps = f32(h.eps);
    s.negativeStepSize = f32(-(h.lr / correction1));
    s.negativeDiffSize = f32(-(h.lr * h.beta2 / correction2));
    const bool proximal = h.noProx == 0;
    s.decay = f32(proximal ? 1 + h.lr * h.weightDecay : 1 - h.lr * h.weightDecay);
    s.isFirst = step == 1;
    return h.weightDecay == 0 ? 0 : proximal ? kProximal : kDecay;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    auto param = at.param();
    const auto grad = at.grad();
    const auto before = s.isFirst ? grad : at.state(kPreviousGrad);
    const auto change = grad - before;
    const auto first = at.state(kExpAvg), difference = at.state(kExpAvgDiff);
    const auto newFirst = fma(s.first.weight, grad - first, s.first.far ? grad : first);
    const auto newDifference =
        fma(s.difference.weight, change - difference, s.difference.far ? change : difference);
    const auto ahead = fma(s.beta2, change, grad);
    const auto second = fma(s.oneMinusBeta3 * ahead, ahead, at.state(kExpAvgSq) * s.beta3);
    at.state(kExpAvg, newFirst);
    at.state(kExpAvgDiff, newDifference);
    at.state(kExpAvgSq, second);
    at.state(kPreviousGrad, grad);
    const auto denominator = sqrt(second) / s.rootCorrection3 + s.eps;
    if constexpr (variant & kDecay) param = param * s.decay;
    param = param + (s.negativeStepSize * newFirst) / denominator;
    param = param + (s.negativeDiffSize * newDifference) / denominator;
    if constexpr (variant & kProximal) param = param / s.decay;
    at.param(param);
  }
};

}  // namespace gradstep
