// Gradient descent and momentum as TensorFlow.js 4.22 has them (tfjs-core, sgd_optimizer.ts and
// momentum_optimizer.ts), with its bits: every operation is rounded, none is fused.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

struct TfjsSgd {
  static constexpr const char* kName = "tfjsSgd";

  struct Hyperparameters {
    double lr;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {{"lr", &H::lr}};

  struct Scalars {
    float negativeLr;
  };

  static constexpr int kVariants = 1;
  using Record = StepCount;

  static uint32_t states(const H&) { return 0; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    s = {f32(-h.lr)};
    return 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    at.param(s.negativeLr * at.grad() + at.param());
  }
};

struct TfjsMomentum {
  static constexpr const char* kName = "tfjsMomentum";

  struct Hyperparameters {
    double lr, momentum, nesterov;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"momentum", &H::momentum},
      {"nesterov", &H::nesterov},
  };

  struct Scalars {
    float negativeLr, momentum;
  };

  enum : int { kNesterov = 1 };
  static constexpr int kVariants = 2;
  using Record = StepCount;

  enum : int { kMomentum };

  static uint32_t states(const H&) { return 1u << kMomentum; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    s = {f32(-h.lr), f32(h.momentum)};
    return h.nesterov != 0 ? kNesterov : 0;
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto grad = at.grad();
    const auto momentum = s.momentum * at.state(kMomentum) + grad;
    at.state(kMomentum, momentum);
    const auto change = variant & kNesterov ? grad + momentum * s.momentum : momentum;
    at.param(s.negativeLr * change + at.param());
  }
};

}  // namespace gradstep
