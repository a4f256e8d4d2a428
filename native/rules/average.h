// Averages of parameters as update rules: the average is what is stepped, the parameter's values
// are its "gradient". Arithmetic of torch/optim/swa_utils.py, whose first update is a copy.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

// Exponential moving average: get_ema_avg_fn, or with lerp get_ema_multi_avg_fn.
struct Ema {
  static constexpr const char* kName = "ema";

  struct Hyperparameters {
    double decay, lerp, warmupPower, warmupGamma, minDecay;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {{"decay", &H::decay},
                                         {"lerp", &H::lerp},
                                         {"warmupPower", &H::warmupPower},
                                         {"warmupGamma", &H::warmupGamma},
                                         {"minDecay", &H::minDecay}};

  struct Scalars {
    float decay, oneMinusDecay, weight;
  };

  // The decay of an update that comes after `count` others.
  static double decayAfter(const H& h, double count) {
    if (h.warmupPower == 0) return h.decay;
    const double warm = 1 - power(1 + count / h.warmupGamma, -h.warmupPower);
    const double rising = warm < h.decay ? warm : h.decay;
    return rising > h.minDecay ? rising : h.minDecay;
  }

  enum : int { kFirst = 1, kLerp = 2, kFarLerp = 4 };
  static constexpr int kVariants = 8;
  using Record = StepCount;

  static uint32_t states(const H&) { return 0; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const double decay = decayAfter(h, record.step);
    const bool first = record.step++ == 0;
    const Lerp lerp = f32.lerp(1 - decay);
    s = {f32(decay), f32(1 - decay), lerp.weight};
    return (first ? kFirst : 0) | (h.lerp != 0 ? kLerp : 0) | (lerp.far ? kFarLerp : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto value = at.grad();
    if constexpr (variant & kFirst) {
      at.param(value);
      return;
    }
    const auto average = at.param();
    if constexpr (variant & kLerp) {
      at.param(fma(s.weight, value - average, variant & kFarLerp ? value : average));
    } else {
      at.param(s.decay * average + s.oneMinusDecay * value);
    }
  }
};

// Stochastic weight averaging (Izmailov et al. 2018, arXiv:1803.05407), the mean of all updates:
// get_swa_avg_fn, or with lerp get_swa_multi_avg_fn.
struct Swa {
  static constexpr const char* kName = "swa";

  struct Hyperparameters {
    double lerp;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {{"lerp", &H::lerp}};

  struct Scalars {
    float count, weight;
  };

  enum : int { kFirst = 1, kLerp = 2, kFarLerp = 4 };
  static constexpr int kVariants = 8;
  using Record = StepCount;

  static uint32_t states(const H&) { return 0; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const bool first = record.step++ == 0;
    s.count = f32(record.step);
    // torch divides a float32 1 by a float32 count.
    const Lerp lerp = f32.lerp(1 / static_cast<double>(s.count));
    s.weight = lerp.weight;
    return (first ? kFirst : 0) | (h.lerp != 0 ? kLerp : 0) | (lerp.far ? kFarLerp : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    const auto value = at.grad();
    if constexpr (variant & kFirst) {
      at.param(value);
      return;
    }
    const auto average = at.param();
    if constexpr (variant & kLerp) {
      at.param(fma(s.weight, value - average, variant & kFarLerp ? value : average));
    } else {
      at.param(average + (value - average) / s.count);
    }
  }
};

}  // namespace gradstep
