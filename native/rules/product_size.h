// How large a matrix product is, and the memory that it needs (kernels/product.h).
#pragma once

#include <stddef.h>

namespace gradstep {

// rows x depth times depth x columns.
struct ProductSize {
  size_t rows, columns, depth;
};

// So much of the inner index at a time: a panel of it stays in the first cache.
constexpr size_t kProductDepth = 256;

// Floats for the panels of both factors, on whatever instruction set.
static inline size_t productScratch(const ProductSize& size) {
  constexpr size_t kWidest = 32;
  return kProductDepth * (size.rows + size.columns + 2 * kWidest);
}

}  // namespace gradstep
