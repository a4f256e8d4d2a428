// Adadelta as TensorFlow.js 4.22 has it (tfjs-core, adadelta_optimizer.ts), with its bits: every
// operation is rounded, none is fused. The update divides by the average of the step before.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct TfjsAdadelta {
  static constexpr const char* kName = "tfjsAdadelta";

  struct Hyperparameters {
    double lr, rho, eps;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"rho", &H::rho},
      {"eps", &H::eps},
  };

  struct Scalars {
    float negativeLr, rho, oneMinusRho, eps;
  };

  static constexpr int kVariants = 1;
  using Record = StepCount;

  enum : int { kAccumGrad, kAccumVar };

  static uint32_t states(const H&) { return 1u << kAccumGrad | 1u << kAccumVar; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    s = {f32(-h.lr), f32(h.rho), f32(1 - h.rho), f32(h.eps)};
    return 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto grad = at.grad();
    const auto accumGrad = at.state(kAccumGrad);
    const auto accumVar = at.state(kAccumVar);
    const auto change = sqrt(accumVar + s.eps) / sqrt(accumGrad + s.eps) * grad;
    at.state(kAccumGrad, accumGrad * s.rho + grad * grad * s.oneMinusRho);
    at.state(kAccumVar, accumVar * s.rho + change * change * s.oneMinusRho);
    at.param(change * s.negativeLr + at.param());
  }
};

}  // namespace gradstep
