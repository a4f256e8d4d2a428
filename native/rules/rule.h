// What an update rule is. Each rule (sgd.h, adam.h, …) is a struct of static members:
//
//   kName            as TypeScript names it
//   Hyperparameters  one group's options: doubles, in the order TypeScript writes them
//   kFields          their names, in the same order
//   Scalars          the float32 values that enter the vector operations
//   kVariants        how many kernels its options select from at compile time
//   Record           what a parameter remembers beside its state arrays: doubles, step count first
//   states(h)        bits of the state arrays that these options need
//   keepsZero(h)     whether a zero with zero gradient and state stays so (0 / 0 would not)
//   prepare(…)       doubles to Scalars, and the record to what it is after this step, before
//                    anything is written; returns the variant. A record starts as zeros
//   update(…)        the mathematics of one pack of vectors, compiled once per instruction set
//
// A rule that sees a parameter's shape, or needs sums over it (adafactor.h), has `kWhole`, no
// kVariants, no keepsZero and no update, but:
//
//   stateLength(…)   how long each state array of a parameter is; 0: this parameter has none
//   workspace(…)     how many floats of memory it needs beside them
//   step(…)          a step of one parameter, by the passes of kernels/whole.h: over its elements,
//                    rows or columns, on all threads, with every sum in the one order of
//                    kernels/reduction.h. prepare() returns 0
//
// `maximize` is no rule's business: a field of that name turns the sign of every gradient read.
#pragma once

#include "../math/elementary.h"
#include "../math/power.h"

namespace gradstep {

// A hyperparameter's name in TypeScript and its member in the rule's struct.
template <class Struct>
struct Field {
  const char* name;
  double Struct::*member;
};

// The record of most rules. `kNames` are its members in TypeScript.
struct StepCount {
  double step;
  static constexpr const char* kNames[] = {"step"};
};

// The weight of torch's lerp, which starts from the nearer end; that moves where it rounds.
// near: fma(weight, end - start, start); far: fma(weight, end - start, end).
struct Lerp {
  float weight;
  bool far;
};

// Turns doubles into float32 scalars. A value that float32 cannot hold is refused, as in torch.
class ScalarMaker {
 public:
  explicit ScalarMaker(PowerMemo& powers) : powers_(powers) {}

  // The one rounding to float32.
  float operator()(double value) {
    if (!(absolute(value) <= static_cast<double>(FLT_MAX))) failed_ = true;
    return failed_ ? 0.0f : static_cast<float>(value);
  }
  Lerp lerp(double weight) {
    const float rounded = (*this)(weight);
    const bool far = !(absolute(rounded) < 0.5f);
    return {far ? rounded - 1.0f : rounded, far};
  }
  double power(double base, double exponent) { return powers_(base, exponent); }
  bool takeFailure() {
    const bool failed = failed_;
    failed_ = false;
    return failed;
  }

 private:
  PowerMemo& powers_;
  bool failed_ = false;
};

}  // namespace gradstep
