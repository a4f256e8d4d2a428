// RMSprop (Hinton's lecture 6e, 2012; centered: Graves 2013, arXiv:1308.0850), in the order of
// operations of torch/optim/rmsprop.py, _single_tensor_rmsprop.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct RmsProp {
  static constexpr const char* kName = "rmsprop";

  struct Hyperparameters {
    double lr, momentum, alpha, eps, centered, weightDecay, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"momentum", &H::momentum},
      {"alpha", &H::alpha},
      {"eps", &H::eps},
      {"centered", &H::centered},
      {"weightDecay", &H::weightDecay},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float decay, alpha, oneMinusAlpha, weight, eps, momentum, negativeLr;
  };

  enum : int { kDecay = 1, kCentered = 2, kMomentum = 4, kFarLerp = 8 };
  static constexpr int kVariants = 16;
  using Record = StepCount;

  enum : int { kSquareAvg, kMomentumBuffer, kGradAvg };

  static uint32_t states(const H& h) {
    return 1u << kSquareAvg | (h.momentum > 0 ? 1u << kMomentumBuffer : 0) |
           (h.centered != 0 ? 1u << kGradAvg : 0);
  }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    const Lerp lerp = f32.lerp(1 - h.alpha);
    s = {f32(h.weightDecay), f32(h.alpha),    f32(1 - h.alpha), lerp.weight,
         f32(h.eps),         f32(h.momentum), f32(-h.lr)};
    return (h.weightDecay != 0 ? kDecay : 0) | (h.centered != 0 ? kCentered : 0) |
           (h.momentum > 0 ? kMomentum : 0) | (lerp.far ? kFarLerp : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) grad = fma(s.decay, param, grad);
    const auto squareAvg = fma(s.oneMinusAlpha * grad, grad, at.state(kSquareAvg) * s.alpha);
    at.state(kSquareAvg, squareAvg);
    auto variance = squareAvg;
    if constexpr (variant & kCentered) {
      const auto old = at.state(kGradAvg);
      const auto gradAvg = fma(s.weight, grad - old, variant & kFarLerp ? grad : old);
      at.state(kGradAvg, gradAvg);
      variance = fma(-gradAvg, gradAvg, squareAvg);
    }
    const auto average = sqrt(variance) + s.eps;
    if constexpr (variant & kMomentum) {
      const auto buffer = at.state(kMomentumBuffer) * s.momentum + grad / average;
      at.state(kMomentumBuffer, buffer);
      at.param(fma(s.negativeLr, buffer, param));
    } else {
      at.param(param + (s.negativeLr * grad) / average);
    }
  }
};

}  // namespace gradstep
