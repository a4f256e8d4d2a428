// LARS (You et al. 2017, arXiv:1708.03888): SGD whose gradient is scaled by the norms of parameter
// and gradient. Not in torch; momentum as in its SGD, norms that are sums in one order.
#pragma once

#include "rule.h"
#include "shape.h"
#include "../simd/inline.h"

namespace gradstep {

struct Lars {
  static constexpr const char* kName = "lars";
  static constexpr bool kWhole = true;

  struct Hyperparameters {
    double lr, momentum, dampening, weightDecay, nesterov, trustCoeff, eps, alwaysAdapt, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"momentum", &H::momentum},
      {"dampening", &H::dampening},
      {"weightDecay", &H::weightDecay},
      {"nesterov", &H::nesterov},
      {"trustCoeff", &H::trustCoeff},
      {"eps", &H::eps},
      {"alwaysAdapt", &H::alwaysAdapt},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    float negativeLr, momentum, oneMinusDampening, weightDecay, trustCoeff, eps;
    bool decays, hasMomentum, nesterov, first, adapts;
  };

  using Record = StepCount;
  enum : int { kMomentumBuffer };

  static uint32_t states(const H& h) { return h.momentum != 0 ? 1u << kMomentumBuffer : 0; }
  static size_t stateLength(const Shape& shape, int) { return shape.length; }
  // Two doubles for each block.
  static size_t workspace(const Shape& shape, const H&) { return 4 * blocksOf(shape.length); }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    s.first = record.step == 0;
    if (h.momentum != 0) ++record.step;  // the age of the momentum buffer, as SGD's
    s.negativeLr = f32(-h.lr);
    s.momentum = f32(h.momentum);
    s.oneMinusDampening = f32(1 - h.dampening);
    s.weightDecay = f32(h.weightDecay);
    s.trustCoeff = f32(h.trustCoeff);
    s.eps = f32(h.eps);
    s.decays = h.weightDecay != 0;
    s.hasMomentum = h.momentum != 0;
    s.nesterov = h.nesterov != 0;
    s.adapts = s.decays || h.alwaysAdapt != 0;
    return 0;
  }

  template <class W>
  static void step(const Scalars& s, const W& at) {
    const float trust = s.adapts ? trustOf(s, at) : 1;
    at.each([&](const auto& x) {
      const auto param = x.param();
      auto grad = x.grad();
      if (s.decays) grad = fma(s.weightDecay, param, grad);
      grad = grad * trust;
      if (s.hasMomentum) {
        auto buffer = grad;  // the first momentum is a copy, without dampening
        if (!s.first) {
          buffer = fma(s.oneMinusDampening, grad, x.state(kMomentumBuffer) * s.momentum);
        }
        x.state(kMomentumBuffer, buffer);
        grad = s.nesterov ? fma(s.momentum, buffer, grad) : buffer;
      }
      x.param(fma(s.negativeLr, grad, param));
    });
  }

 private:
  template <class W>
  static float trustOf(const Scalars& s, const W& at) {
    double sums[2];
    at.template squares<2>(
        reinterpret_cast<double*>(at.workspace),
        [](const auto& x, auto* found) {
          found[0] = x.param();
          found[1] = x.grad();
        },
        sums);
    const auto param = static_cast<float>(squareRoot(sums[0]));
    const auto grad = static_cast<float>(squareRoot(sums[1]));
    if (!(param > 0 && grad > 0)) return 1;
    const float both = param * s.weightDecay + grad + s.eps;
    return s.trustCoeff * param / both;
  }
};

}  // namespace gradstep
