#include "optimizer.h"

#include <cstring>

#include <algorithm>

#include "../simd/dispatch.h"

namespace gradstep {
namespace {

// Counts are exact in a double up to here; anything else in a count is not ours.
bool isCount(double count) { return count >= 0 && count < 9007199254740992.0; }

// Room for more, growing by doubling: reserve() alone would grow by what is asked each time.
template <class T>
void reserveFor(std::vector<T>& list, size_t more) {
  const size_t needed = list.size() + more;
  if (needed > list.capacity()) list.reserve(std::max(needed, 2 * list.capacity()));
}

// Whether the slot's arrays begin where those of the span end.
bool follows(const Slot& slot, const Slot& span, uint32_t states) {
  if (slot.data != span.data + span.room || slot.grad != span.grad + span.room) return false;
  for (int k = 0; k < kMaxStates; k++) {
    if ((states >> k & 1) && slot.state[k] != span.state[k] + span.room) return false;
  }
  return true;
}

}  // namespace

void Optimizer::claimState(const void* begin, size_t bytes) {
  memory_.claim(begin, bytes, MemoryMap::kState);
}

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
  reserveFor(slots_, data.size());
  reserveFor(spans_, slots_.capacity() - spans_.size());
  reserveFor(runs_, slots_.capacity() - runs_.size());
  if (const Failure failure = claimAll(data); failure.kind) return failure;
  for (size_t i = 0; i < data.size(); i++) {
    Slot slot;
    slot.data = data[i].data;
    slot.length = data[i].length;
    slot.room = data[i].length;
    slot.record = records + i * rule_.recordSize;
    slot.group = static_cast<uint32_t>(groups_.size());
    slots_.push_back(slot);
  }
  groups_.push_back(hyperparameters);
  allGradsMoved_ = true;
  return {};
}

void Optimizer::releaseData(size_t slot) {
  memory_.release(slots_[slot].data, static_cast<int64_t>(slot));
}

void Optimizer::ownLines(size_t slot) {
  constexpr size_t kLine = 64 / sizeof(float);
  Slot& s = slots_[slot];
  const auto owner = static_cast<int64_t>(slot);
  const size_t room = (s.length + kLine - 1) / kLine * kLine;
  releaseData(slot);
  if (memory_.claim(s.data, room * sizeof(float), owner) == MemoryMap::kNobody) {
    s.room = room;
  } else {  // somebody lies in the padding: then it is not ours
    memory_.claim(s.data, s.length * sizeof(float), owner);
  }
}

void Optimizer::setState(size_t slot, int which, float* state) {
  slots_[slot].state[which] = state;
  slots_[slot].states |= 1u << which;
}

void Optimizer::setData(size_t slot, float* data) {
  releaseData(slot);
  slots_[slot].data = data;
  movedData_.push_back(slot);
  allGradsMoved_ = true;
}

void Optimizer::setGrad(size_t slot, const float* grad) {
  slots_[slot].grad = grad;
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

// Whether the slot can be stepped with the scalars of the run.
bool Optimizer::joins(const Run& run, const Slot& slot) const {
  return run.hyperparameters == groups_[slot.group] &&
         std::memcmp(run.record.values, slot.record, rule_.recordSize * sizeof(double)) == 0;
}

Failure Optimizer::openRun(size_t slot) {
  Run run;
  run.hyperparameters = groups_[slots_[slot].group];
  std::memcpy(run.record.values, slots_[slot].record, rule_.recordSize * sizeof(double));
  const auto number = static_cast<int64_t>(slot);
  if (!isCount(run.record.values[0])) return {Failure::kBadCount, number, -1};
  run.next = run.record;
  run.prepared = rule_.prepare(run.hyperparameters, run.next, scalarMaker_, run.scalars);
  if (scalarMaker_.takeFailure()) return {Failure::kOverflow, number, -1};
  run.kernel = activeTable().rules[rule_.index][run.prepared.variant];
  run.begin = slot;
  run.end = slot;
  runs_.push_back(run);
  return {};
}

// Everything that can fail, before anything is written: which kernel steps which slots, with
// which scalars.
Failure Optimizer::plan() {
  runs_.clear();
  for (size_t i = 0; i < slots_.size(); i++) {
    const Slot& slot = slots_[i];
    if (slot.grad == nullptr) continue;
    if (runs_.empty() || !joins(runs_.back(), slot)) {
      if (const Failure failure = openRun(i); failure.kind) return failure;
    }
    Run& run = runs_.back();
    if (run.prepared.states & ~slot.states) {
      return {Failure::kMissingState, static_cast<int64_t>(i), -1};
    }
    run.end = i + 1;
  }
  return {};
}

// Slots whose arrays follow each other in memory, every one at the same distance, are one span:
// an arena is stepped as a single array, zeros between its parameters included, unless the rule
// would make something else of them.
void Optimizer::joinSpans() {
  spans_.clear();
  for (Run& run : runs_) {
    run.firstSpan = spans_.size();
    for (size_t i = run.begin; i < run.end; i++) {
      const Slot& slot = slots_[i];
      if (slot.grad == nullptr || slot.length == 0) continue;
      if (run.prepared.keepsZero && spans_.size() > run.firstSpan &&
          follows(slot, spans_.back(), run.prepared.states)) {
        Slot& span = spans_.back();
        span.length = span.room + slot.length;
        span.room += slot.room;
      } else {
        spans_.push_back(slot);
      }
    }
    run.spanCount = spans_.size() - run.firstSpan;
  }
}

void Optimizer::writeRecords() const {
  for (const Run& run : runs_) {
    for (size_t i = run.begin; i < run.end; i++) {
      if (slots_[i].grad == nullptr) continue;
      std::memcpy(slots_[i].record, run.next.values, rule_.recordSize * sizeof(double));
    }
  }
}

Failure Optimizer::step() {
  if (const Failure failure = verifyMemory(); failure.kind) return failure;
  if (const Failure failure = plan(); failure.kind) return failure;
  joinSpans();
  for (const Run& run : runs_) {
    if (run.spanCount == 0) continue;
    const Slot* spans = spans_.data() + run.firstSpan;
    run.kernel(&run.scalars, run.prepared.sign, spans, spans + run.spanCount, 0,
               spans[run.spanCount - 1].length);
  }
  writeRecords();
  return {};
}

}  // namespace gradstep
