// RMSProp as TensorFlow.js 4.22 has it (tfjs-core, rmsprop_optimizer.ts), with its bits: every
// operation is rounded, none is fused. Epsilon is inside of the root; centered, it is subtracted
// there, so that a first gradient below 1.05e-3 gives NaN, as it does there.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct TfjsRmsProp {
  static constexpr const char* kName = "tfjsRmsprop";

  struct Hyperparameters {
    double lr, decay, momentum, eps, centered;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},   {"decay", &H::decay},       {"momentum", &H::momentum},
      {"eps", &H::eps}, {"centered", &H::centered},
  };

  struct Scalars {
    float lr, decay, oneMinusDecay, momentum, eps;
  };

  enum : int { kCentered = 1 };
  static constexpr int kVariants = 2;
  using Record = StepCount;

  enum : int { kRms, kMomentum, kMg };

  static uint32_t states(const H& h) {
    return 1u << kRms | 1u << kMomentum | (h.centered != 0 ? 1u << kMg : 0);
  }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0 && h.centered == 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    s = {f32(h.lr), f32(h.decay), f32(1 - h.decay), f32(h.momentum), f32(h.eps)};
    return h.centered != 0 ? kCentered : 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto grad = at.grad();
    const auto rms = at.state(kRms) * s.decay + grad * grad * s.oneMinusDecay;
    at.state(kRms, rms);
    auto variance = rms + s.eps;
    if constexpr (variant & kCentered) {
      const auto mg = at.state(kMg) * s.decay + grad * s.oneMinusDecay;
      at.state(kMg, mg);
      variance = rms - (mg * mg + s.eps);
    }
    const auto momentum = at.state(kMomentum) * s.momentum + grad * s.lr / sqrt(variance);
    at.state(kMomentum, momentum);
    at.param(at.param() - momentum);
  }
};

}  // namespace gradstep
