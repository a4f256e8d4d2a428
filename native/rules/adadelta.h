// Adadelta (Zeiler 2012, arXiv:1212.5701), in the order of operations of torch/optim/adadelta.py,
// _single_tensor_adadelta.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct Adadelta {
  static constexpr const char* kName = "adadelta";

  struct Hyperparameters {
    double lr, rho, eps, weightDecay, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"rho", &H::rho},
      {"eps", &H::eps},
      {"weightDecay", &H::weightDecay},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float decay, rho, oneMinusRho, eps, negativeLr;
  };

  enum : int { kDecay = 1 };
  static constexpr int kVariants = 2;
  using Record = StepCount;

  enum : int { kSquareAvg, kAccDelta };

  static uint32_t states(const H&) { return 1u << kSquareAvg | 1u << kAccDelta; }

  static bool keepsZero(const H& h) { return static_cast<float>(h.eps) != 0; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    s = {f32(h.weightDecay), f32(h.rho), f32(1 - h.rho), f32(h.eps), f32(-h.lr)};
    return h.weightDecay != 0 ? kDecay : 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto param = at.param();
    auto grad = at.grad();
    if constexpr (variant & kDecay) grad = fma(s.decay, param, grad);
    const auto squareAvg = fma(s.oneMinusRho * grad, grad, at.state(kSquareAvg) * s.rho);
    at.state(kSquareAvg, squareAvg);
    const auto accDelta = at.state(kAccDelta);
    const auto delta = sqrt(accDelta + s.eps) / sqrt(squareAvg + s.eps) * grad;
    at.state(kAccDelta, fma(s.oneMinusRho * delta, delta, accDelta * s.rho));
    at.param(fma(s.negativeLr, delta, param));
  }
};

}  // namespace gradstep
