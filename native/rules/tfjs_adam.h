// Adam as TensorFlow.js 4.22 has it (tfjs-core, adam_optimizer.ts), with its bits: every operation
// is rounded, none is fused. The powers of the betas are float32 products that belong to the group,
// not to the parameter: whoever steps it multiplies them up.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct TfjsAdam {
  static constexpr const char* kName = "tfjsAdam";

  struct Hyperparameters {
    double lr, beta1, beta2, eps, beta1Power, beta2Power;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},   {"beta1", &H::beta1},           {"beta2", &H::beta2},
      {"eps", &H::eps}, {"beta1Power", &H::beta1Power}, {"beta2Power", &H::beta2Power},
  };

  struct Scalars {
    float beta1, oneMinusBeta1, beta2, oneMinusBeta2, correction1, correction2, eps, negativeLr;
  };

  static constexpr int kVariants = 1;
  using Record = StepCount;

  enum : int { kM, kV };

  static uint32_t states(const H&) { return 1u << kM | 1u << kV; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    s = {f32(h.beta1),
         f32(1 - h.beta1),
         f32(h.beta2),
         f32(1 - h.beta2),
         1.0f - f32(h.beta1Power),
         1.0f - f32(h.beta2Power),
         f32(h.eps),
         f32(-h.lr)};
    return 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto grad = at.grad();
    const auto m = at.state(kM) * s.beta1 + grad * s.oneMinusBeta1;
    const auto v = at.state(kV) * s.beta2 + grad * grad * s.oneMinusBeta2;
    at.state(kM, m);
    at.state(kV, v);
    const auto change = m / s.correction1 / (sqrt(v / s.correction2) + s.eps);
    at.param(change * s.negativeLr + at.param());
  }
};

}  // namespace gradstep
