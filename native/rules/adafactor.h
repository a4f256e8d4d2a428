// Adafactor (Shazeer & Stern 2018, arXiv:1804.04235), in the order of operations of
// torch/optim/_adafactor.py, _single_tensor_adafactor. The options that torch has not are those of
// Hugging Face's: scaleParameter, relativeStep, warmupInit, and beta1 for a momentum.
#pragma once

#include "rule.h"
#include "shape.h"
#include "../math/emulated_fma.h"
#include "../simd/inline.h"

namespace gradstep {

struct Adafactor {
  static constexpr const char* kName = "adafactor";
  static constexpr bool kWhole = true;

  struct Hyperparameters {
    double lr, beta2Decay, eps1, eps2, d, weightDecay, scaleParameter, relativeStep, warmupInit,
        beta1, maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"beta2Decay", &H::beta2Decay},
      {"eps1", &H::eps1},
      {"eps2", &H::eps2},
      {"d", &H::d},
      {"weightDecay", &H::weightDecay},
      {"scaleParameter", &H::scaleParameter},
      {"relativeStep", &H::relativeStep},
      {"warmupInit", &H::warmupInit},
      {"beta1", &H::beta1},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    double rate, eps2, d;  // enter torch's numbers, not its vectors
    Lerp lerp;
    float decay, eps1, square, beta1, oneMinusBeta1;
    bool decays, scales;
  };

  using Record = StepCount;

  enum : int { kRowVar, kColVar, kVariance, kExpAvg };

  static uint32_t states(const H& h) {
    return 1u << kRowVar | 1u << kColVar | 1u << kVariance | (h.beta1 != 0 ? 1u << kExpAvg : 0);
  }

  // A matrix has the first two, anything else the third.
  static size_t stateLength(const Shape& shape, int which) {
    if (which == kRowVar) return shape.isMatrix() ? shape.length / shape.columns : 0;
    if (which == kColVar) return shape.isMatrix() ? shape.length / shape.rows : 0;
    return which == kVariance && shape.isMatrix() ? 0 : shape.length;
  }

  // A double for each row or block, whichever are more, and a float for each matrix.
  static size_t workspace(const Shape& shape, const H&) {
    if (!shape.isMatrix()) return 2 * blocksOf(shape.length);
    const size_t rows = shape.length / shape.columns;
    return 2 * (rows + blocksOf(shape.length)) + rows / shape.rows;
  }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    constexpr double kFloatEps = 1.1920928955078125e-07;
    const double step = ++record.step;
    const double decreasing = 1 / squareRoot(step);
    const double most = h.warmupInit != 0 ? 1e-6 * step : h.lr;
    const double eps1 = h.eps1 < 0 ? kFloatEps : h.eps1;
    s.rate = h.relativeStep != 0 && decreasing < most ? decreasing : most;
    s.eps2 = h.eps2;
    s.d = h.d;
    s.lerp = f32.lerp(f32.power(step, h.beta2Decay));
    s.decay = f32(1 - h.lr * h.weightDecay);
    s.eps1 = f32(eps1);
    s.square = f32(eps1 * eps1);
    s.beta1 = f32(h.beta1);
    s.oneMinusBeta1 = f32(1 - h.beta1);
    s.decays = h.weightDecay != 0;
    s.scales = h.scaleParameter != 0;
    return 0;
  }

  template <class W>
  static void step(const Scalars& s, const W& at) {
    auto* const partial = reinterpret_cast<double*>(at.workspace);
    double sum = 0;
    if (s.scales) {
      at.template squares<1>(
          partial, [](const auto& x, auto* found) { found[0] = x.param(); }, &sum);
    }
    const double scale = s.scales ? larger(s.eps2, rootOf(sum) / rootOf(at.slot.length)) : 1;
    if (at.slot.shape().isMatrix())
      stepMatrices(s, at, partial, scale * s.rate);
    else
      stepVector(s, at, partial, scale * s.rate);
  }

 private:
  // A norm is a float32 in torch, before it becomes a number.
  static GRADSTEP_INLINE double rootOf(double sum) { return static_cast<float>(squareRoot(sum)); }
  static GRADSTEP_INLINE double rootOf(size_t length) {
    return squareRoot(static_cast<double>(length));
  }
  // As Python's max(a, b), which keeps a unless b is greater.
  static GRADSTEP_INLINE double larger(double a, double b) { return b > a ? b : a; }

  static GRADSTEP_INLINE float lerp(const Lerp& by, float start, float end) {
    return emulatedFma(by.weight, end - start, by.far ? end : start);
  }

  // What the update is multiplied by: torch's -alpha / denom.
  static GRADSTEP_INLINE float factorOf(const Scalars& s, double alpha, double sum, size_t length) {
    const double denominator = larger(1, rootOf(sum) / (rootOf(length) * s.d));
    return static_cast<float>(-alpha / denominator);
  }

  template <class Block, class P>
  static GRADSTEP_INLINE P updateOf(const Scalars& s, const Block& x, P variance) {
    return P(1.0f) / sqrt(clampMin(variance, s.square)) * x.grad();
  }
  // NaN stays NaN.
  template <class P>
  static GRADSTEP_INLINE P clampMin(P x, float least) {
    return maximum(x, P(least));
  }

  template <class Block, class P>
  static GRADSTEP_INLINE void move(const Scalars& s, const Block& x, P update, float factor) {
    auto param = x.param();
    if (s.decays) param = param * s.decay;
    if (s.beta1 == 0) {
      x.param(fma(factor, update, param));
      return;
    }
    const auto expAvg = fma(s.oneMinusBeta1, factor * update, x.state(kExpAvg) * s.beta1);
    x.state(kExpAvg, expAvg);
    x.param(param + expAvg);
  }

  template <class W>
  static void stepVector(const Scalars& s, const W& at, double* partial, double alpha) {
    double sum;
    at.template squares<1>(
        partial,
        [&](const auto& x, auto* found) {
          const auto grad = x.grad(), variance = x.state(kVariance);
          const auto end = grad * grad;
          const auto next = fma(s.lerp.weight, end - variance, s.lerp.far ? end : variance);
          x.state(kVariance, next);
          found[0] = updateOf(s, x, next);
        },
        &sum);
    const float factor = factorOf(s, alpha, sum, at.slot.length);
    at.each([&](const auto& x) { move(s, x, updateOf(s, x, x.state(kVariance)), factor); });
  }

  // A row of a matrix as a slot of its own, whose column variances are its state.
  template <class Slot>
  static GRADSTEP_INLINE Slot rowOf(const Slot& slot, size_t row) {
    const size_t columns = slot.columns;
    Slot one = slot;
    one.data += row * columns;
    one.grad += row * columns;
    one.length = columns;
    one.state[kColVar] += row / slot.rows * columns;
    if (one.state[kExpAvg] != nullptr) one.state[kExpAvg] += row * columns;
    return one;
  }

  // The outer product of both variances, over the mean of the first.
  template <class Block>
  static GRADSTEP_INLINE auto varianceOf(const Block& x, float rowVar, float mean) {
    return x.state(kColVar) * rowVar / mean;
  }

  template <class W>
  static void stepMatrices(const Scalars& s, const W& at, double* partial, double alpha) {
    const auto& slot = at.slot;
    const size_t rows = slot.length / slot.columns;
    float* const means = at.workspace + 2 * (rows + blocksOf(slot.length));
    averageRows(s, at);
    averageColumns(s, at);
    for (size_t m = 0; m < rows / slot.rows; m++) {
      const float* rowVar = slot.state[kRowVar] + m * slot.rows;
      const double sum = W::sumOfAbs(rowVar, slot.rows);
      const float mean = static_cast<float>(sum) / static_cast<float>(slot.rows);
      means[m] = mean < s.eps1 ? s.eps1 : mean;
    }
    at.share(rows, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; row++) {
        const float rowVar = slot.state[kRowVar][row], mean = means[row / slot.rows];
        at.template squares<1>(
            rowOf(slot, row),
            [&](const auto& x, auto* found) {
              found[0] = updateOf(s, x, varianceOf(x, rowVar, mean));
            },
            partial + row);
      }
    });
    double sum = 0;
    for (size_t row = 0; row < rows; row++) sum += partial[row];
    const float factor = factorOf(s, alpha, sum, slot.length);
    at.share(rows, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; row++) {
        const float rowVar = slot.state[kRowVar][row], mean = means[row / slot.rows];
        const auto one = rowOf(slot, row);
        at.each(one, 0, one.length, [&](const auto& x) {
          move(s, x, updateOf(s, x, varianceOf(x, rowVar, mean)), factor);
        });
      }
    });
  }

  // The mean of squares as torch has it: a norm, squared, over how many there are.
  static GRADSTEP_INLINE float meanOf(double sum, size_t count) {
    const auto norm = static_cast<float>(squareRoot(sum));
    return norm * norm / static_cast<float>(count);
  }

  template <class W>
  static void averageRows(const Scalars& s, const W& at) {
    const auto& slot = at.slot;
    const size_t columns = slot.columns;
    at.share(slot.length / columns, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; row++) {
        const double sum = W::sumOfSquares(slot.grad + row * columns, columns);
        float& rowVar = slot.state[kRowVar][row];
        rowVar = lerp(s.lerp, rowVar, meanOf(sum, columns));
      }
    });
  }

  template <class W>
  static void averageColumns(const Scalars& s, const W& at) {
    const auto& slot = at.slot;
    const size_t rows = slot.rows, columns = slot.columns;
    const size_t strips = (columns + W::kStrip - 1) / W::kStrip;
    at.share(slot.length / (rows * columns) * strips, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) {
        const size_t matrix = i / strips, first = i % strips * W::kStrip;
        const size_t count = columns - first < W::kStrip ? columns - first : W::kStrip;
        double sums[W::kStrip];
        W::columnSquares(slot.grad + matrix * rows * columns + first, slot.shape(), count, sums);
        for (size_t j = 0; j < count; j++) {
          float& colVar = slot.state[kColVar][matrix * columns + first + j];
          colVar = lerp(s.lerp, colVar, meanOf(sums[j], rows));
        }
      }
    });
  }
};

}  // namespace gradstep
