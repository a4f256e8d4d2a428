// The pass over all gradients before a step that clips by a norm or looks for infinities.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "norm.h"
#include "../kernels/slot.h"
#include "step_options.h"

namespace gradstep {

// Part of a slot, in floats.
struct Piece {
  size_t begin, end;
};

// The slots of which only pieces count, as gradients of their own: between them is padding.
using Pieces = std::map<size_t, std::vector<Piece>>;

class GradientCheck {
 public:
  static bool isNeeded(const StepOptions& options) {
    return options.maxGradNorm >= 0 || options.onNonFinite != kApply;
  }

  // Which slots have gradients; calls that follow measure those. Allocates, and may be skipped
  // while the slots stay.
  void shape(const std::vector<Slot>& slots, const Pieces& pieces);

  // Measures on all threads that the options allow. Nothing can fail here.
  void measure(const std::vector<Slot>& slots, const StepOptions& options,
               const GradientFactors& factors);

  // How many gradients are infinite or NaN; NaN if nobody asked.
  double nonFinite() const { return nonFinite_; }
  // Whether somebody asked and there are such, or their norm is; and the first slot with one.
  bool failed() const { return failed_; }
  size_t firstNonFinite() const { return firstNonFinite_; }
  // The norm over all; NaN if nobody asked.
  double totalNorm() const { return totalNorm_; }
  // What clipping multiplies the gradient of a slot by.
  float coefficient(size_t slot) const { return coefficients_[slot]; }

 private:
  struct Range {
    size_t begin, end;  // slots
  };
  struct Block {
    size_t slot, from, length;
  };

  void addPiece(size_t slot, const Piece& piece);

  template <class Reduce>
  void reduce(const std::vector<Slot>& slots, const Reduce& reduce);
  void countNonFinite(const std::vector<Slot>& slots, const StepOptions& options,
                      const GradientFactors& factors);
  void clip(const std::vector<Slot>& slots, const StepOptions& options, const Norm& norm);
  double clipRange(const Range& range, const std::vector<Slot>& slots, double most,
                   const Norm& norm);

  int threads_ = 0;
  std::vector<size_t> firstPiece_;   // by slot, and one more: where its pieces begin
  std::vector<size_t> firstBlock_;   // by piece, and one more: where its blocks begin
  std::vector<Block> blocks_;        // all of them
  std::vector<double> found_;        // what each block contributes
  std::vector<double> parts_;        // and each piece
  std::vector<float> coefficients_;  // by slot
  double totalNorm_ = 0, nonFinite_ = 0;
  bool failed_ = false;
  size_t firstNonFinite_ = 0;
};

}  // namespace gradstep
