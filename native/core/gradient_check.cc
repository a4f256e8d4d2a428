#include "gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../kernels/dispatch.h"
#include "thread_pool.h"

namespace gradstep {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Blocks that one thread takes at a time.
constexpr size_t kBlocksPerChunk = 16;

size_t blocksOf(const Slot& slot) {
  return slot.grad == nullptr ? 0 : (slot.length + kReduceBlock - 1) / kReduceBlock;
}

// Whether a norm of this order is infinite or NaN just where a gradient is.
bool showsNonFinite(double order) { return order == 1 || order == 2 || order == INFINITY; }

}  // namespace

void GradientCheck::shape(const std::vector<Slot>& slots) {
  firstBlock_.resize(slots.size() + 1);
  firstBlock_[0] = 0;
  for (size_t i = 0; i < slots.size(); i++)
    firstBlock_[i + 1] = firstBlock_[i] + blocksOf(slots[i]);
  blocks_.resize(firstBlock_.back());
  parts_.reserve(slots.size());
  coefficients_.assign(slots.size(), 1.0f);
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
    const auto& first = check.firstBlock_;
    auto slot = static_cast<size_t>(std::upper_bound(first.begin(), first.end(), begin) -
                                    first.begin() - 1);
    for (size_t block = begin; block < end; block++) {
      while (first[slot + 1] <= block) slot++;
      const size_t from = (block - first[slot]) * kReduceBlock;
      const size_t length = std::min(kReduceBlock, slots[slot].length - from);
      check.blocks_[block] = reduce(slots[slot].grad + from, length);
    }
  };
  const size_t chunks = (blocks_.size() + kBlocksPerChunk - 1) / kBlocksPerChunk;
  ThreadPool& pool = ThreadPool::instance();
  if (pool.helps(blocks_.size() * kReduceBlock) && chunks <= ThreadPool::kMaxChunks) {
    pool.run(work, &job, chunks);
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
  for (size_t i = slots.size(); i-- > 0;) {
    // A norm of finite gradients is that of the first.
    if (nonFinite_ == 0 && blocksOf(slots[i]) > 0) firstNonFinite_ = i;
    for (size_t block = firstBlock_[i]; block < firstBlock_[i + 1]; block++) {
      if (blocks_[block] > 0) firstNonFinite_ = i;
      nonFinite_ += blocks_[block];
    }
  }
  failed_ |= nonFinite_ > 0;
}

void GradientCheck::measure(const std::vector<Slot>& slots, const StepOptions& options,
                            const GradientFactors& factors) {
  totalNorm_ = kNaN;
  nonFinite_ = 0;
  failed_ = false;
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
  for (size_t i = range.begin; i < range.end; i++) {
    if (firstBlock_[i] == firstBlock_[i + 1]) continue;
    double part = blocks_[firstBlock_[i]];
    for (size_t block = firstBlock_[i] + 1; block < firstBlock_[i + 1]; block++) {
      part = norm.join(part, blocks_[block]);
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
