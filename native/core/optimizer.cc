#include "optimizer.h"

#include <algorithm>
#include <numeric>

namespace gradstep {
namespace {

// Room for more, growing by doubling: reserve() alone would grow by what is asked each time.
template <class T>
void reserveFor(std::vector<T>& list, size_t more) {
  const size_t needed = list.size() + more;
  if (needed > list.capacity()) list.reserve(std::max(needed, 2 * list.capacity()));
}

}  // namespace

void Optimizer::claimState(const void* begin, size_t bytes) {
  memory_.claim(begin, bytes, MemoryMap::kState);
}

void Optimizer::releaseState(const void* begin) { memory_.release(begin, MemoryMap::kState); }

// Claims the memory of slots that come: all of it, or none and the reason.
Failure Optimizer::claimAll(const std::vector<FloatSpan>& data) {
  for (size_t i = 0; i < data.size(); i++) {
    const auto owner = static_cast<int64_t>(slots_.size() + i);
    const int64_t other = memory_.claim(data[i].data, data[i].length * sizeof(float), owner);
    if (other == MemoryMap::kNobody) continue;
    releaseFirst(i, data);
    return {Failure::kDataOverlap, owner, other};
  }
  return {};
}

void Optimizer::releaseFirst(size_t count, const std::vector<FloatSpan>& data) {
  for (size_t i = 0; i < count; i++) {
    memory_.release(data[i].data, static_cast<int64_t>(slots_.size() + i));
  }
}

Failure Optimizer::findOverlap(const std::vector<FloatSpan>& data) {
  const Failure failure = claimAll(data);
  if (!failure.kind) releaseFirst(data.size(), data);
  return failure;
}

Failure Optimizer::addGroup(const double* hyperparameters, double* records,
                            const std::vector<FloatSpan>& data) {
  reserveFor(groups_, 1);
  const auto group = static_cast<uint32_t>(groups_.size());
  if (const Failure failure = insertSlots(slots_.size(), group, hyperparameters, records, data);
      failure.kind) {
    return failure;
  }
  groups_.push_back(hyperparameters);
  return {};
}

Failure Optimizer::insertSlots(size_t first, uint32_t group, const double* hyperparameters,
                               double* records, const std::vector<FloatSpan>& data) {
  reserveFor(slots_, data.size());
  if (const Failure failure = claimAll(data); failure.kind) return failure;
  const size_t behind = slots_.size() - first;
  for (size_t i = 0; i < data.size(); i++) {
    const auto claimed = static_cast<int64_t>(slots_.size() + i);
    memory_.rename(data[i].data, claimed, static_cast<int64_t>(first + i));
  }
  // From the end: a number is free before another slot has it.
  for (size_t i = behind; i-- > 0;) {
    const auto from = static_cast<int64_t>(first + i);
    memory_.rename(slots_[first + i].data, from, from + static_cast<int64_t>(data.size()));
  }
  for (std::vector<size_t>* moved : {&movedData_, &movedGrads_}) {
    for (size_t& slot : *moved) slot += slot >= first ? data.size() : 0;
  }
  slots_.insert(slots_.begin() + static_cast<std::ptrdiff_t>(first), data.size(), Slot{});
  for (size_t i = 0; i < data.size(); i++) {
    Slot& slot = slots_[first + i];
    slot.data = data[i].data;
    slot.length = data[i].length;
    slot.record = records + i * rule_.recordSize;
    slot.hyperparameters = hyperparameters;
    slot.group = group;
  }
  forgetShape();
  allGradsMoved_ = true;
  return {};
}

void Optimizer::releaseData(size_t slot) {
  memory_.release(slots_[slot].data, static_cast<int64_t>(slot));
}

void Optimizer::removeSlots(const std::vector<size_t>& gone) {
  if (gone.empty()) return;
  constexpr size_t kGone = static_cast<size_t>(-1);
  std::vector<size_t> numbers(slots_.size());
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  size_t next = 0;
  for (size_t slot = gone.front(); slot < slots_.size(); slot++) {
    if (next < gone.size() && slot == gone[next]) {
      releaseData(slot);
      numbers[slot] = kGone;
      next++;
      continue;
    }
    numbers[slot] = slot - next;
    memory_.rename(slots_[slot].data, static_cast<int64_t>(slot),
                   static_cast<int64_t>(numbers[slot]));
    slots_[numbers[slot]] = slots_[slot];
  }
  slots_.resize(slots_.size() - next);
  Pieces pieces;
  for (auto& [slot, own] : pieces_) {
    if (numbers[slot] != kGone) pieces[numbers[slot]] = std::move(own);
  }
  pieces_ = std::move(pieces);
  for (std::vector<size_t>* moved : {&movedData_, &movedGrads_}) {
    for (size_t& slot : *moved) slot = numbers[slot];
    moved->erase(std::remove(moved->begin(), moved->end(), kGone), moved->end());
  }
  forgetShape();
}

Failure Optimizer::replaceSlot(size_t slot, FloatSpan data) {
  Slot& s = slots_[slot];
  const auto owner = static_cast<int64_t>(slot);
  const bool wasClaimed = memory_.release(s.data, owner);
  const int64_t other = memory_.claim(data.data, data.length * sizeof(float), owner);
  if (other != MemoryMap::kNobody) {
    if (wasClaimed)
      memory_.claim(s.data, (s.dataOwnsLine ? wholeLines(s.length) : s.length) * sizeof(float),
                    owner);
    return {Failure::kDataOverlap, static_cast<int64_t>(slots_.size()), other};
  }
  s.data = data.data;
  s.grad = nullptr;
  s.states = 0;
  s.length = data.length;
  s.rows = s.columns = 0;
  s.dataOwnsLine = s.gradOwnsLine = false;
  pieces_.erase(slot);
  forgetShape();
  allGradsMoved_ = true;
  return {};
}

void Optimizer::ownLines(size_t slot) {
  Slot& s = slots_[slot];
  // If somebody lies in the padding, it is not ours.
  const size_t bytes = wholeLines(s.length) * sizeof(float);
  s.dataOwnsLine = memory_.extend(s.data, bytes, static_cast<int64_t>(slot));
  forgetShape();
}

void Optimizer::setPieces(size_t slot, std::vector<Piece> pieces) {
  pieces_[slot] = std::move(pieces);
  forgetShape();
}

void Optimizer::setShape(size_t slot, size_t rows, size_t columns) {
  slots_[slot].rows = rows;
  slots_[slot].columns = columns;
  forgetShape();
}

void Optimizer::setSlot(size_t slot, const double* hyperparameters, double* record) {
  slots_[slot].hyperparameters = hyperparameters;
  slots_[slot].record = record;
  forgetShape();
}

void Optimizer::setState(size_t slot, int which, float* state) {
  slots_[slot].state[which] = state;
  slots_[slot].states |= 1u << which;
  forgetShape();
}

void Optimizer::setData(size_t slot, float* data) {
  releaseData(slot);
  slots_[slot].data = data;
  slots_[slot].dataOwnsLine = false;
  forgetShape();
  movedData_.push_back(slot);
  allGradsMoved_ = true;
}

void Optimizer::setGrad(size_t slot, float* grad, bool ownsLine) {
  slots_[slot].grad = grad;
  slots_[slot].gradOwnsLine = ownsLine;
  forgetShape();
  if (grad != nullptr && !allGradsMoved_) movedGrads_.push_back(slot);
}

Failure Optimizer::verifyGrad(size_t slot) const {
  const Slot& s = slots_[slot];
  if (s.grad == nullptr) return {};
  const int64_t other = memory_.holder(s.grad, s.length * sizeof(float));
  if (other == MemoryMap::kNobody) return {};
  return {Failure::kGradOverlap, static_cast<int64_t>(slot), other};
}

// Arrays that came since the last step. What fails stays on the list: the next step asks again.
Failure Optimizer::verifyMemory() {
  while (!movedData_.empty()) {
    const size_t slot = movedData_.back();
    const auto owner = static_cast<int64_t>(slot);
    const Slot& s = slots_[slot];
    const int64_t other = memory_.claim(s.data, s.length * sizeof(float), owner);
    if (other != MemoryMap::kNobody && other != owner) return {Failure::kDataOverlap, owner, other};
    movedData_.pop_back();
  }
  if (allGradsMoved_) {
    for (size_t slot = 0; slot < slots_.size(); slot++) {
      if (const Failure failure = verifyGrad(slot); failure.kind) return failure;
    }
    allGradsMoved_ = false;
    movedGrads_.clear();
  }
  while (!movedGrads_.empty()) {
    if (const Failure failure = verifyGrad(movedGrads_.back()); failure.kind) return failure;
    movedGrads_.pop_back();
  }
  return {};
}

void Optimizer::forgetShape() {
  plan_.forget();
  checkShaped_ = false;
}

}  // namespace gradstep
