// Averages of parameters as update rules: the average is what is stepped, the parameter's values
// are its "gradient". Arithmetic of torch/optim/swa_utils.py, whose first update is a copy.
#pragma once

#include "rule.h"
#include "../simd/inline.h"

namespace gradstep {

// What an average does in a call: nothing, but for each `every`-th; else it copies the values,
// before call number `after` has come, and averages from then on.
struct AverageCall {
  enum Kind : int { kPasses, kCopies, kAverages } kind;
  double before;  // how many have been averaged

  // Counts a call in a record. `every` is an integer from 1, `after` one from 0, or infinite.
  static AverageCall count(StepCount& record, double every, double after) {
    const double call = record.step++;
    const int64_t step = every >= 1 ? static_cast<int64_t>(every) : 1;  // no division by zero
    if (static_cast<int64_t>(call) % step != 0) return {kPasses, 0};
    if (call < after) return {kCopies, 0};
    const int64_t first = (static_cast<int64_t>(after) + step - 1) / step * step;
    const double before = static_cast<double>((static_cast<int64_t>(call) - first) / step);
    return {before == 0 ? kCopies : kAverages, before};
  }
};

// Exponential moving average: get_ema_avg_fn, or with lerp get_ema_multi_avg_fn.
struct Ema {
  static constexpr const char* kName = "ema";

  struct Hyperparameters {
    double decay, lerp, warmupPower, warmupGamma, minDecay, updateEvery, updateAfterStep;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {{"decay", &H::decay},
                                         {"lerp", &H::lerp},
                                         {"warmupPower", &H::warmupPower},
                                         {"warmupGamma", &H::warmupGamma},
                                         {"minDecay", &H::minDecay},
                                         {"updateEvery", &H::updateEvery},
                                         {"updateAfterStep", &H::updateAfterStep}};

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

  enum : int { kFirst = 1, kLerp = 2, kFarLerp = 4, kPass = 8 };
  static constexpr int kVariants = 9;
  using Record = StepCount;

  static uint32_t states(const H&) { return 0; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const auto call = AverageCall::count(record, h.updateEvery, h.updateAfterStep);
    if (call.kind == AverageCall::kPasses) return kPass;
    const bool first = call.kind == AverageCall::kCopies;
    const double decay = decayAfter(h, call.before);
    const Lerp lerp = f32.lerp(1 - decay);
    s = {f32(decay), f32(1 - decay), lerp.weight};
    return (first ? kFirst : 0) | (h.lerp != 0 ? kLerp : 0) | (lerp.far ? kFarLerp : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    if constexpr (variant == kPass) return;
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
    double lerp, updateEvery, updateAfterStep;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {{"lerp", &H::lerp},
                                         {"updateEvery", &H::updateEvery},
                                         {"updateAfterStep", &H::updateAfterStep}};

  struct Scalars {
    float count, weight;
  };

  enum : int { kFirst = 1, kLerp = 2, kFarLerp = 4, kPass = 8 };
  static constexpr int kVariants = 9;
  using Record = StepCount;

  static uint32_t states(const H&) { return 0; }

  static bool keepsZero(const H&) { return true; }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    const auto call = AverageCall::count(record, h.updateEvery, h.updateAfterStep);
    if (call.kind == AverageCall::kPasses) return kPass;
    const bool first = call.kind == AverageCall::kCopies;
    s.count = f32(call.before + 1);
    // torch divides a float32 1 by a float32 count.
    const Lerp lerp = f32.lerp(1 / static_cast<double>(s.count));
    s.weight = lerp.weight;
    return (first ? kFirst : 0) | (h.lerp != 0 ? kLerp : 0) | (lerp.far ? kFarLerp : 0);
  }

  template <int variant, class Block>
  static GRADSTEP_INLINE void update(const Scalars& s, const Block& at) {
    if constexpr (variant == kPass) return;
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
