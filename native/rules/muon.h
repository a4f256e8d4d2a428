// Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; Liu et al. 2025,
// arXiv:2502.16982, for `match_rms_adamw`): momentum, made near orthogonal by Newton and Schulz.
// The order of operations of torch/optim/_muon.py; products sum in the order of kernels/product.h.
#pragma once

#include "product_size.h"
#include "rule.h"
#include "shape.h"
#include "../simd/inline.h"

namespace gradstep {

struct Muon {
  static constexpr const char* kName = "muon";
  static constexpr bool kWhole = true;

  struct Hyperparameters {
    double lr, weightDecay, momentum, nesterov, nsA, nsB, nsC, eps, nsSteps, adjustLrFn, nsDtype,
        maximize;
  };
  using H = Hyperparameters;
  static constexpr Field<H> kFields[] = {
      {"lr", &H::lr},
      {"weightDecay", &H::weightDecay},
      {"momentum", &H::momentum},
      {"nesterov", &H::nesterov},
      {"nsA", &H::nsA},
      {"nsB", &H::nsB},
      {"nsC", &H::nsC},
      {"eps", &H::eps},
      {"nsSteps", &H::nsSteps},
      {"adjustLrFn", &H::adjustLrFn},
      {"nsDtype", &H::nsDtype},
      {"maximize", &H::maximize},
  };

  struct Scalars {
    double lr;
    Lerp lerp, ahead;
    float decay, a, b, c, eps;
    uint8_t steps, adjust;
    bool nesterov, decays, rounds;
  };

  enum : int { kOriginal, kMatchRmsAdamw, kSpectralUnclamped };
  enum : int { kBfloat16, kFloat32 };
  using Record = StepCount;

  enum : int { kMomentumBuffer, kUpdate };  // the second is in the workspace

  static uint32_t states(const H&) { return 1u << kMomentumBuffer; }
  static size_t stateLength(const Shape& shape, int) { return shape.length; }

  // The update, what comes of it, two products of the shorter side, and the panels.
  static size_t workspace(const Shape& shape, const H&) {
    const size_t rows = shape.isMatrix() ? shape.rows : 1;
    const size_t columns = shape.isMatrix() ? shape.columns : shape.length;
    const size_t shorter = rows < columns ? rows : columns;
    return 3 * rows * columns + 2 * shorter * shorter + 2 * blocksOf(rows * columns) +
           productScratch({shorter, rows < columns ? columns : rows, 0}) + 7 * 16;
  }

  static int prepare(const H& h, Record& record, ScalarMaker& f32, Scalars& s) {
    ++record.step;
    s.lr = h.lr;
    s.lerp = f32.lerp(1 - h.momentum);
    s.ahead = f32.lerp(h.momentum);
    s.decay = f32(1 - h.lr * h.weightDecay);
    s.a = f32(h.nsA);
    s.b = f32(h.nsB);
    s.c = f32(h.nsC);
    s.eps = f32(h.eps);
    s.steps = static_cast<uint8_t>(h.nsSteps);
    s.adjust = static_cast<uint8_t>(h.adjustLrFn);
    s.nesterov = h.nesterov != 0;
    s.decays = h.weightDecay != 0;
    s.rounds = h.nsDtype == kBfloat16;
    return 0;
  }

  // Matrices one after the other; what is none is one row.
  template <class W>
  static void step(const Scalars& s, const W& at) {
    auto matrix = at.slot;
    const bool isMatrix = at.slot.shape().isMatrix();
    matrix.rows = isMatrix ? at.slot.rows : 1;
    matrix.columns = isMatrix ? at.slot.columns : at.slot.length;
    matrix.length = matrix.rows * matrix.columns;
    for (size_t i = 0; i < at.slot.length; i += matrix.length) {
      stepMatrix(s, at.over(matrix));
      matrix.data += matrix.length;
      matrix.grad += matrix.length;
      matrix.state[kMomentumBuffer] += matrix.length;
    }
  }

 private:
  // Where everything is; x is rows x columns, and rows the shorter side.
  struct Memory {
    float *x, *t, *gram, *square, *scratch;
    size_t rows, columns;
  };

  static GRADSTEP_INLINE float* take(float*& free, size_t count) {
    float* const mine = free;
    free += (count + 15) / 16 * 16;
    return mine;
  }

  template <class W>
  static void stepMatrix(const Scalars& s, const W& at) {
    const size_t rows = at.slot.rows, columns = at.slot.columns;
    const bool isTall = rows > columns;
    float* free = at.workspace;
    Memory m;
    float* const update = take(free, rows * columns);
    m.x = take(free, rows * columns);
    m.t = take(free, rows * columns);
    m.rows = isTall ? columns : rows;
    m.columns = isTall ? rows : columns;
    m.gram = take(free, m.rows * m.rows);
    m.square = take(free, m.rows * m.rows);
    m.scratch = free;
    auto part = at.slot;
    part.state[kUpdate] = update;
    const W whole = at.over(part);
    average(s, whole);
    normalize(s, whole, update);
    if (isTall)
      transpose(at, update, rows, columns, m.x);
    else
      at.share(rows, [&](size_t begin, size_t end) {
        copyBytes(m.x + begin * columns, update + begin * columns,
                  (end - begin) * columns * sizeof(float));
      });
    for (int i = 0; i < s.steps; i++) iterate(s, at, m);
    if (isTall)
      transpose(at, m.x, m.rows, m.columns, update);
    else
      part.state[kUpdate] = m.x;
    move(s, at.over(part));
  }

  // The momentum, and the update from it, ahead of it with Nesterov.
  template <class W>
  static void average(const Scalars& s, const W& at) {
    at.each([&](const auto& x) {
      const auto grad = x.grad(), before = x.state(kMomentumBuffer);
      const auto buffer = fma(s.lerp.weight, grad - before, s.lerp.far ? grad : before);
      x.state(kMomentumBuffer, buffer);
      const auto ahead = fma(s.ahead.weight, buffer - grad, s.ahead.far ? buffer : grad);
      x.state(kUpdate, s.nesterov ? ahead : buffer);
    });
  }

  // Over the norm, so that no singular value is above 1.
  template <class W>
  static void normalize(const Scalars& s, const W& at, float* update) {
    round(s, at, update, at.slot.length);
    float norm = static_cast<float>(squareRoot(W::sumOfSquares(update, at.slot.length)));
    norm = rounded(s, norm);
    const float divisor = rounded(s, norm < s.eps ? s.eps : norm);
    at.each([&](const auto& x) { x.state(kUpdate, x.state(kUpdate) / divisor); });
    round(s, at, update, at.slot.length);
  }

  // x = a x + (b A + c A A) x, where A = x x'.
  template <class W>
  static void iterate(const Scalars& s, const W& at, Memory& m) {
    const size_t rows = m.rows, columns = m.columns;
    at.product({rows, rows, columns}, {m.x, columns, 1}, {m.x, 1, columns}, m.gram, m.scratch);
    round(s, at, m.gram, rows * rows);
    at.product({rows, rows, rows}, {m.gram, rows, 1}, {m.gram, rows, 1}, m.square, m.scratch);
    combine(at, s.b, m.gram, s.c, m.square, rows * rows);
    round(s, at, m.square, rows * rows);
    at.product({rows, columns, rows}, {m.square, rows, 1}, {m.x, columns, 1}, m.t, m.scratch);
    combine(at, s.a, m.x, 1, m.t, rows * columns);
    round(s, at, m.t, rows * columns);
    float* const before = m.x;
    m.x = m.t;
    m.t = before;
  }

  // y = alpha x + beta y, the first product and the sum in one rounding.
  template <class W>
  static void combine(const W& at, float alpha, float* x, float beta, float* y, size_t length) {
    auto part = at.slot;
    part.data = y;
    part.state[kUpdate] = x;
    part.length = length;
    at.over(part).each(
        [&](const auto& v) { v.param(fma(alpha, v.state(kUpdate), beta * v.param())); });
  }

  static GRADSTEP_INLINE float rounded(const Scalars& s, float x) {
    return s.rounds ? toBfloat16(x) : x;
  }

  // The nearest number of 8 bits; of two as near, the even one.
  static GRADSTEP_INLINE float toBfloat16(float x) {
    uint32_t word;
    copyBytes(&word, &x, sizeof word);
    word = (word + 0x7fff + (word >> 16 & 1)) & 0xffff0000;
    float near;
    copyBytes(&near, &word, sizeof near);
    return x == x ? near : x;
  }

  template <class W>
  static void round(const Scalars& s, const W& at, float* x, size_t length) {
    if (!s.rounds) return;
    at.share(blocksOf(length), [&](size_t begin, size_t end) {
      const size_t to = end * kReduceBlock < length ? end * kReduceBlock : length;
      for (size_t i = begin * kReduceBlock; i < to; i++) x[i] = toBfloat16(x[i]);
    });
  }

  template <class W>
  static void transpose(const W& at, const float* from, size_t rows, size_t columns, float* to) {
    constexpr size_t kTile = 16;
    at.share((columns + kTile - 1) / kTile, [&](size_t begin, size_t end) {
      const size_t last = end * kTile < columns ? end * kTile : columns;
      for (size_t i = 0; i < rows; i += kTile) {
        const size_t bottom = i + kTile < rows ? i + kTile : rows;
        for (size_t column = begin * kTile; column < last; column++) {
          for (size_t row = i; row < bottom; row++) {
            to[column * rows + row] = from[row * columns + column];
          }
        }
      }
    });
  }

  static GRADSTEP_INLINE double ratioOf(const Scalars& s, double rows, double columns) {
    if (s.adjust == kMatchRmsAdamw) return 0.2 * squareRoot(rows > columns ? rows : columns);
    const double ratio = rows / columns;
    return squareRoot(s.adjust == kOriginal && ratio < 1 ? 1 : ratio);
  }

  template <class W>
  static void move(const Scalars& s, const W& at) {
    const auto rows = static_cast<double>(at.slot.rows);
    const double ratio = ratioOf(s, rows, static_cast<double>(at.slot.columns));
    const auto factor = static_cast<float>(-(s.lr * ratio));
    at.each([&](const auto& x) {
      auto param = x.param();
      if (s.decays) param = param * s.decay;
      x.param(fma(factor, x.state(kUpdate), param));
    });
  }
};

}  // namespace gradstep
