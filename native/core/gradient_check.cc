#include "gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "active_table.h"
#include "thread_pool.h"

namespace gradstep {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Blocks that one thread takes at a time.
constexpr size_t kBlocksPerChunk = 16;

// Whether a norm of this order is infinite or NaN just where a gradient is.
bool showsNonFinite(double order) { return order == 1 || order == 2 || order == INFINITY; }

}  // namespace

void GradientCheck::shape(const std::vector<Slot>& slots, const Pieces& pieces) {
  firstPiece_.assign(1, 0);
  firstBlock_.assign(1, 0);
  blocks_.clear();
  for (size_t i = 0; i < slots.size(); i++) {
    const auto own = pieces.find(i);
    if (slots[i].grad != nullptr && own == pieces.end()) addPiece(i, {0, slots[i].length});
    if (slots[i].grad != nullptr && own != pieces.end()) {
      for (const Piece& piece : own->second) addPiece(i, piece);
    }
    firstPiece_.push_back(firstBlock_.size() - 1);
  }
  found_.resize(blocks_.size());
  parts_.reserve(firstBlock_.size());
  coefficients_.assign(slots.size(), 1.0f);
}

void GradientCheck::addPiece(size_t slot, const Piece& piece) {
  if (piece.begin == piece.end) return;
  for (size_t from = piece.begin; from < piece.end; from += kReduceBlock) {
    blocks_.push_back({slot, from, std::min(kReduceBlock, piece.end - from)});
  }
  firstBlock_.push_back(blocks_.size());
}

// Every block by itself, on whichever thread.
template <class Reduce>
void GradientCheck::reduce(const std::vector<Slot>& slots, const Reduce& reduce) {
  struct Job {
    GradientCheck& check;
    const std::vector<Slot>& slots;
    const Reduce& reduce;
  } job{*this, slots, reduce};
  const auto work = [](void* context, size_t chunk) {
    const auto& [check, slots, reduce] = *static_cast<Job*>(context);
    const size_t begin = chunk * kBlocksPerChunk;
    const size_t end = std::min(begin + kBlocksPerChunk, check.blocks_.size());
    for (size_t i = begin; i < end; i++) {
      const Block& block = check.blocks_[i];
      check.found_[i] = reduce(slots[block.slot].grad + block.from, block.length);
    }
  };
  const size_t chunks = (blocks_.size() + kBlocksPerChunk - 1) / kBlocksPerChunk;
  ThreadPool& pool = ThreadPool::instance();
  if (pool.helps(blocks_.size() * kReduceBlock, threads_) && chunks <= ThreadPool::kMaxChunks) {
    pool.run(work, &job, chunks, threads_);
  } else {
    for (size_t chunk = 0; chunk < chunks; chunk++) work(&job, chunk);
  }
}

void GradientCheck::countNonFinite(const std::vector<Slot>& slots, const StepOptions& options,
                                   const GradientFactors& factors) {
  reduce(slots, [&](const float* x, size_t length) {
    return activeTable().reduce[kNonFinite](x, length, factors);
  });
  nonFinite_ = 0;
  failed_ = options.maxGradNorm >= 0 && !std::isfinite(totalNorm_);
  // A norm of finite gradients is that of the first.
  if (!blocks_.empty()) firstNonFinite_ = blocks_[0].slot;
  for (size_t i = blocks_.size(); i-- > 0;) {
    if (found_[i] > 0) firstNonFinite_ = blocks_[i].slot;
    nonFinite_ += found_[i];
  }
  failed_ |= nonFinite_ > 0;
}

void GradientCheck::measure(const std::vector<Slot>& slots, const StepOptions& options,
                            const GradientFactors& factors) {
  totalNorm_ = kNaN;
  nonFinite_ = 0;
  failed_ = false;
  threads_ = static_cast<int>(options.numThreads);
  if (options.maxGradNorm >= 0) {
    const Norm norm(options.normType);
    reduce(slots, [&](const float* x, size_t length) { return norm.block(x, length, factors); });
    clip(slots, options, norm);
    if (std::isfinite(totalNorm_) && showsNonFinite(options.normType)) return;
  }
  if (options.onNonFinite != kApply) {
    countNonFinite(slots, options, factors);
  } else {
    nonFinite_ = kNaN;
  }
}

// The norm of the slots [begin, end), and the coefficient of each.
double GradientCheck::clipRange(const Range& range, const std::vector<Slot>& slots, double most,
                                const Norm& norm) {
  parts_.clear();
  for (size_t i = firstPiece_[range.begin]; i < firstPiece_[range.end]; i++) {
    double part = found_[firstBlock_[i]];
    for (size_t block = firstBlock_[i] + 1; block < firstBlock_[i + 1]; block++) {
      part = norm.join(part, found_[block]);
    }
    parts_.push_back(part);
  }
  const double total = norm.total(parts_.data(), parts_.size());
  const float coefficient = clipCoefficient(total, most);
  for (size_t i = range.begin; i < range.end; i++) {
    if (slots[i].grad != nullptr) coefficients_[i] = coefficient;
  }
  return total;
}

void GradientCheck::clip(const std::vector<Slot>& slots, const StepOptions& options,
                         const Norm& norm) {
  totalNorm_ = clipRange({0, slots.size()}, slots, options.maxGradNorm, norm);
  if (options.clipScope == kGlobal) return;
  for (size_t begin = 0, end; begin < slots.size(); begin = end) {
    end = begin + 1;
    const bool byGroup = options.clipScope == kPerGroup;
    while (byGroup && end < slots.size() && slots[end].group == slots[begin].group) end++;
    clipRange({begin, end}, slots, options.maxGradNorm, norm);
  }
}

}  // namespace gradstep
