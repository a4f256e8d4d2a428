// LAMB (You et al. 2019, arXiv:1904.00962, algorithm 2): Adam's direction, as long as the parameter
// is. Not in torch; moments as in its Adam, the trust ratio of norms that are sums in one order.
#pragma once

#include "rule.h"
#include "shape.h"
#include "../simd/inline.h"

namespace gradstep {

struct Lamb {
  static constexpr const char* kName = "lamb";
  static constexpr bool kWhole = true;

  struct Hyperparameters {
    double lr, beta1, beta2, eps, weightDecay, biasCorrection, alwaysAdapt, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta1", &H::beta1},
      {"beta2", &H::beta2},
      {"eps", &H::eps},
      {"weightDecay", &H::weightDecay},
      {"biasCorrection", &H::biasCorrection},
      {"alwaysAdapt", &H::alwaysAdapt},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    double lr;
    Lerp lerp;
    float beta2, oneMinusBeta2, correction1, rootCorrection2, eps, weightDecay;
    bool decays, adapts;
  };

  using Record = StepCount;
  enum : int { kExpAvg, kExpAvgSq };

  static uint32_t states(const H&) { return 1u << kExpAvg | 1u << kExpAvgSq; }
  static size_t stateLength(const Shape& shape, int) { return shape.length; }
  // Two doubles for each block.
  static size_t workspace(const Shape& shape, const H&) { return 4 * blocksOf(shape.length); }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const double step = ++record.step;
    const bool corrects = h.biasCorrection != 0;
    s.lr = h.lr;
    s.lerp = f32.lerp(1 - h.beta1);
    s.beta2 = f32(h.beta2);
    s.oneMinusBeta2 = f32(1 - h.beta2);
    s.correction1 = f32(corrects ? 1 - f32.power(h.beta1, step) : 1);
    s.rootCorrection2 = f32(corrects ? squareRoot(1 - f32.power(h.beta2, step)) : 1);
    s.eps = f32(h.eps);
    s.weightDecay = f32(h.weightDecay);
    s.decays = h.weightDecay != 0;
    s.adapts = s.decays || h.alwaysAdapt != 0;
    f32(h.lr);  // refused if float32 cannot hold it
    return 0;
  }

  template <class W>
  static void step(const Scalars& s, const W& at) {
    double sums[2];  // of the squares of the parameter, and of its update
    at.template squares<2>(
        reinterpret_cast<double*>(at.workspace),
        [&](const auto& x, auto* found) {
          const auto grad = x.grad(), before = x.state(kExpAvg);
          const auto first = fma(s.lerp.weight, grad - before, s.lerp.far ? grad : before);
          const auto second = fma(s.oneMinusBeta2 * grad, grad, x.state(kExpAvgSq) * s.beta2);
          x.state(kExpAvg, first);
          x.state(kExpAvgSq, second);
          found[0] = x.param();
          found[1] = updateOf(s, found[0], first, second);
        },
        sums);
    const auto norm = static_cast<float>(squareRoot(sums[0]));
    const auto length = static_cast<float>(squareRoot(sums[1]));
    const float trust = s.adapts && norm > 0 && length > 0 ? norm / length : 1;
    const auto factor = static_cast<float>(-(s.lr * trust));
    at.each([&](const auto& x) {
      const auto param = x.param();
      const auto update = updateOf(s, param, x.state(kExpAvg), x.state(kExpAvgSq));
      x.param(fma(factor, update, param));
    });
  }

 private:
  template <class P>
  static GRADSTEP_INLINE P updateOf(const Scalars& s, P param, P first, P second) {
    const P denominator = sqrt(second) / s.rootCorrection2 + s.eps;
    const P update = first / s.correction1 / denominator;
    return s.decays ? fma(s.weightDecay, param, update) : update;
  }
};

}  // namespace gradstep
