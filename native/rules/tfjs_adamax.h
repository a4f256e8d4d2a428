// Adamax as TensorFlow.js 4.22 has it (tfjs-core, adamax_optimizer.ts), with its bits: every
// operation is rounded, none is fused. The power of beta1 and the number of the iteration, both
// float32, belong to the group, not to the parameter: whoever steps it counts them up.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct TfjsAdamax {
  static constexpr const char* kName = "tfjsAdamax";

  struct Hyperparameters {
    double lr, beta1, beta2, eps, decay, beta1Power, iteration;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta1", &H::beta1},
      {"beta2", &H::beta2},
      {"eps", &H::eps},
      {"decay", &H::decay},
      {"beta1Power", &H::beta1Power},
      {"iteration", &H::iteration},
  };

  struct Scalars {
    float beta1, oneMinusBeta1, beta2, eps, negativeStepSize;
  };

  static constexpr int kVariants = 1;
  using Record = StepCount;

  enum : int { kM, kV };

  static uint32_t states(const H&) { return 1u << kM | 1u << kV; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    const float decayed = f32(h.iteration) * f32(h.decay) + 1.0f;
    const float lr = f32(-h.lr) / decayed;
    s = {f32(h.beta1), f32(1 - h.beta1), f32(h.beta2), f32(h.eps), lr / (1.0f - f32(h.beta1Power))};
    return 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto grad = at.grad();
    const auto m = at.state(kM) * s.beta1 + grad * s.oneMinusBeta1;
    const auto v = maximum(at.state(kV) * s.beta2, abs(grad));
    at.state(kM, m);
    at.state(kV, v);
    at.param(m / (v + s.eps) * s.negativeStepSize + at.param());
  }
};

}  // namespace gradstep
