// The product of two matrices. Every element is a chain of fused multiply-adds in the order of the
// inner index, starting from 0, so that its bits depend on no block size, no instruction set and no
// number of threads. Included inside a target region.
#pragma once

#include <stddef.h>

#include "../rules/product_size.h"
#include "../simd/pack.h"

namespace gradstep {

// A matrix as it lies in memory: element (i, j) is data[i * row + j * column].
struct MatrixView {
  const float* data;
  size_t row, column;
};

template <class V>
class Product {
 public:
  // c = a b, where c is rows x columns, row by row. `share(count, f)` calls f(begin, end).
  template <class W>
  static void run(const W& at, const ProductSize& size, const MatrixView& a, const MatrixView& b,
                  float* c, float* scratch) {
    float* const left = scratch;
    float* const right = scratch + kProductDepth * ((size.rows + kRows - 1) / kRows * kRows);
    for (size_t k = 0; k < size.depth; k += kProductDepth) {
      const size_t depth = least(size.depth - k, kProductDepth);
      const MatrixView aPart{a.data + k * a.column, a.row, a.column};
      const MatrixView bPart{b.data + k * b.row, b.column, b.row};
      at.share((size.rows + kRows - 1) / kRows, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) pack<kRows>(aPart, i, size.rows, depth, left);
      });
      at.share((size.columns + kColumns - 1) / kColumns, [&](size_t begin, size_t end) {
        for (size_t j = begin; j < end; j++) pack<kColumns>(bPart, j, size.columns, depth, right);
      });
      multiply(at, size, depth, left, right, c, k == 0);
    }
  }

 private:
  static constexpr size_t kVectors = 2;
  static constexpr size_t kColumns = kVectors * V::kLanes;
  // As many as the registers hold: 32 of them, but 16 with 8 lanes.
  static constexpr size_t kRows = V::kLanes == 8 ? 6 : V::kLanes == 1 ? 4 : 12;
  static constexpr size_t kPanels = 6;  // of rows, which a thread has in its second cache

  static GRADSTEP_INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

  // Panel number `panel` of kWidth rows, depth by depth, with zeros behind the last row.
  template <size_t kWidth>
  static void pack(const MatrixView& from, size_t panel, size_t rows, size_t depth, float* to) {
    const size_t first = panel * kWidth, count = least(rows - first, kWidth);
    to += first * kProductDepth;
    for (size_t i = 0; i < kWidth; i++) {
      const float* source = from.data + (first + i) * from.row;
      for (size_t k = 0; k < depth; k++)
        to[k * kWidth + i] = i < count ? source[k * from.column] : 0;
    }
  }

  template <class W>
  static void multiply(const W& at, const ProductSize& size, size_t depth, const float* left,
                       const float* right, float* c, bool isFirst) {
    constexpr size_t kHigh = kPanels * kRows, kWide = 8 * kColumns;
    const size_t high = (size.rows + kHigh - 1) / kHigh, wide = (size.columns + kWide - 1) / kWide;
    at.share(high * wide, [&](size_t begin, size_t end) {
      for (size_t part = begin; part < end; part++) {
        const size_t top = part / wide * kHigh, start = part % wide * kWide;
        const size_t bottom = least(top + kHigh, size.rows);
        for (size_t j = start; j < least(start + kWide, size.columns); j += kColumns) {
          for (size_t i = top; i < bottom; i += kRows) {
            const float* a = left + i * kProductDepth;
            const float* b = right + j * kProductDepth;
            float* to = c + i * size.columns + j;
            tile(a, b, depth, {size.rows - i, size.columns - j, size.columns}, to, isFirst);
          }
        }
      }
    });
  }

  // What of a tile is in the matrix, and how far apart its rows are.
  struct Place {
    size_t rows, columns, stride;
  };

  static void tile(const float* a, const float* b, size_t depth, const Place& place, float* c,
                   bool isFirst) {
    if (place.rows >= kRows && place.columns >= kColumns) {
      wholeTile(a, b, depth, c, place.stride, isFirst);
      return;
    }
    float part[kRows * kColumns] = {};
    const size_t rows = least(place.rows, kRows), columns = least(place.columns, kColumns);
    for (size_t i = 0; i < rows && !isFirst; i++) {
      for (size_t j = 0; j < columns; j++) part[i * kColumns + j] = c[i * place.stride + j];
    }
    wholeTile(a, b, depth, part, kColumns, isFirst);
    for (size_t i = 0; i < rows; i++) {
      for (size_t j = 0; j < columns; j++) c[i * place.stride + j] = part[i * kColumns + j];
    }
  }

  static GRADSTEP_INLINE void wholeTile(const float* a, const float* b, size_t depth, float* c,
                                        size_t stride, bool isFirst) {
    typename V::Vector sums[kRows][kVectors];
#pragma GCC unroll 16
    for (size_t i = 0; i < kRows; i++) {
#pragma GCC unroll 2
      for (size_t j = 0; j < kVectors; j++) {
        sums[i][j] = isFirst ? V::broadcast(0) : V::load(c + i * stride + j * V::kLanes);
      }
    }
    for (size_t k = 0; k < depth; k++, a += kRows, b += kColumns) {
      const auto first = V::load(b), second = V::load(b + V::kLanes);
#pragma GCC unroll 16
      for (size_t i = 0; i < kRows; i++) {
        const auto factor = V::broadcast(a[i]);
        sums[i][0] = V::fma(factor, first, sums[i][0]);
        sums[i][1] = V::fma(factor, second, sums[i][1]);
      }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < kRows; i++) {
#pragma GCC unroll 2
      for (size_t j = 0; j < kVectors; j++) V::store(c + i * stride + j * V::kLanes, sums[i][j]);
    }
  }
};

}  // namespace gradstep
