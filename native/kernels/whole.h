// What a rule that sees shapes may do with a parameter: passes over its elements, its rows or its
// columns, on all threads, with sums of squares in the one order of reduction.h. Included inside a
// target region.
#pragma once

#include <stddef.h>

#include "../math/elementary.h"
#include "../simd/pack.h"
#include "block.h"
#include "product.h"
#include "reduce.h"
#include "team.h"

namespace gradstep {

template <class V>
class Whole {
 public:
  // Columns that are summed together: their lanes stay in the first cache.
  static constexpr size_t kStrip = 64;

  const Slot& slot;
  float* const workspace;

  GRADSTEP_INLINE Whole(const Slot& slot, float sign, float* workspace, const Team& team)
      : slot(slot), workspace(workspace), sign_(sign), flip_(V::broadcast(sign)), team_(team) {}

  // The same rule's passes over another slot, such as a part of this one.
  GRADSTEP_INLINE Whole over(const Slot& other) const { return {other, sign_, workspace, team_}; }

  // c = a b, as kernels/product.h has it.
  GRADSTEP_INLINE void product(const ProductSize& size, const MatrixView& a, const MatrixView& b,
                               float* c, float* scratch) const {
    Product<V>::run(*this, size, a, b, c, scratch);
  }

  // f(begin, end) for parts of [0, count), on all threads.
  template <class F>
  void share(size_t count, const F& f) const {
    const auto work = [](void* context, size_t begin, size_t end) {
      (*static_cast<const F*>(context))(begin, end);
    };
    team_.share(work, const_cast<F*>(&f), count, slot.length, team_.most);
  }

  // f(block) for all packs of an array that is as long as `part`, on this thread.
  template <class F>
  GRADSTEP_INLINE void each(const Slot& part, size_t begin, size_t end, const F& f) const {
    const auto all = V::firstLanes(V::kLanes);
    size_t i = begin;
    for (; i + V::kUnroll * V::kLanes <= end; i += V::kUnroll * V::kLanes) {
      f(Block<V, V::kUnroll, false>(part, i, flip_, all));
    }
    for (; i < end; i += V::kLanes) {
      const size_t left = end - i < V::kLanes ? end - i : V::kLanes;
      f(Block<V, 1, true>(part, i, flip_, V::firstLanes(left)));
    }
  }

  // The same for the whole parameter, on all threads.
  template <class F>
  void each(const F& f) const {
    share(blocksOf(slot.length), [&](size_t begin, size_t end) {
      const size_t to = end * kReduceBlock < slot.length ? end * kReduceBlock : slot.length;
      each(slot, begin * kReduceBlock, to, f);
    });
  }

  // The sums of the squares of the N packs that f(block, packs) makes, over one array.
  template <int N, class F>
  GRADSTEP_INLINE void squares(const Slot& part, const F& f, double* sums) const {
    for (int n = 0; n < N; n++) sums[n] = 0;
    for (size_t b = 0; b < blocksOf(part.length); b++) {
      double found[N];
      squaresOfBlock<N>(part, b, f, found);
      for (int n = 0; n < N; n++) sums[n] += found[n];
    }
  }

  // The same over the whole parameter, on all threads; `partial` has room for N blocksOf(length).
  template <int N, class F>
  void squares(double* partial, const F& f, double* sums) const {
    const size_t blocks = blocksOf(slot.length);
    share(blocks, [&](size_t begin, size_t end) {
      for (size_t b = begin; b < end; b++) squaresOfBlock<N>(slot, b, f, partial + b * N);
    });
    for (int n = 0; n < N; n++) sums[n] = 0;
    for (size_t b = 0; b < blocks; b++) {
      for (int n = 0; n < N; n++) sums[n] += partial[b * N + n];
    }
  }

  static double sumOfSquares(const float* x, size_t length) {
    return sum(kSumOfSquares, x, length);
  }
  static double sumOfAbs(const float* x, size_t length) { return sum(kSumOfAbs, x, length); }

  // The sum of the squares of each of at most kStrip columns of a matrix, over its rows.
  static void columnSquares(const float* matrix, const Shape& shape, size_t columns, double* sums) {
    for (size_t row = 0; row < shape.rows; row += kReduceBlock) {
      const size_t end = row + kReduceBlock < shape.rows ? row + kReduceBlock : shape.rows;
      double lanes[kReduceLanes * kStrip] = {};
      for (size_t i = row; i < end; i++) {
        double* lane = lanes + (i - row) % kReduceLanes * kStrip;
        addSquares(matrix + i * shape.columns, columns, lane);
      }
      for (size_t half = kReduceLanes / 2; half > 0; half /= 2) {
        for (size_t j = 0; j < half * kStrip; j++) lanes[j] += lanes[j + half * kStrip];
      }
      for (size_t j = 0; j < columns; j++) sums[j] = row == 0 ? lanes[j] : sums[j] + lanes[j];
    }
  }

 private:
  static constexpr size_t kParts = V::kLanes / V::kDoubles;

  static double sum(Reduction reduction, const float* x, size_t length) {
    double result = 0;
    for (size_t i = 0; i < length; i += kReduceBlock) {
      const size_t count = length - i < kReduceBlock ? length - i : kReduceBlock;
      result += Reductions<V>::kKernels[reduction](x + i, count, {});
    }
    return result;
  }

  static GRADSTEP_INLINE void addSquares(const float* x, size_t count, double* sums) {
    for (size_t j = 0; j < count; j += V::kLanes) {
      const size_t left = count - j;
      typename V::Double wide[kParts];
      V::widen(left < V::kLanes ? V::load(x + j, V::firstLanes(left)) : V::load(x + j), wide);
      for (size_t k = 0; k < kParts; k++) {
        double* to = sums + j + k * V::kDoubles;
        const auto square = V::multiplyDouble(wide[k], wide[k]);
        V::storeDouble(to, V::addDouble(V::loadDouble(to), square));
      }
    }
  }

  template <int N, class F>
  GRADSTEP_INLINE void squaresOfBlock(const Slot& part, size_t block, const F& f,
                                      double* sums) const {
    constexpr int kVectors = kReduceLanes / V::kLanes;
    const auto all = V::firstLanes(V::kLanes);
    const size_t begin = block * kReduceBlock;
    const size_t end = begin + kReduceBlock < part.length ? begin + kReduceBlock : part.length;
    SumLanes<V, Square> lanes[N];
    size_t i = begin;
    for (; i + kReduceLanes <= end; i += kReduceLanes) {
      Row<V> found[N];
      f(Block<V, kVectors, false>(part, i, flip_, all), found);
      for (int n = 0; n < N; n++) lanes[n].take(found[n]);
    }
    if (i < end) {
      float rows[N][kReduceLanes] = {};
      for (size_t j = i; j < end; j += V::kLanes) {
        Pack<V, 1> found[N];
        const size_t left = end - j < V::kLanes ? end - j : V::kLanes;
        f(Block<V, 1, true>(part, j, flip_, V::firstLanes(left)), found);
        for (int n = 0; n < N; n++) V::store(rows[n] + (j - i), found[n].v[0]);
      }
      for (int n = 0; n < N; n++) {
        for (size_t j = end - i; j < kReduceLanes; j++) rows[n][j] = 0;
        lanes[n].take(loadRow<V>(rows[n]));
      }
    }
    for (int n = 0; n < N; n++) sums[n] = lanes[n].joined();
  }

  const float sign_;
  const typename V::Vector flip_;
  const Team& team_;
};

}  // namespace gradstep
