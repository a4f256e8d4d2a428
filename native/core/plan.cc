#include "plan.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>

#include "active_table.h"

namespace gradstep {
namespace {

// Counts are exact in a double up to 2^53, and the next one has to be; anything else is not ours.
bool isCount(double count) { return count >= 0 && count < 9007199254740991.0; }

uint64_t nextNumber() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

// Whether the slot's arrays begin where those of the span end.
bool follows(const Slot& slot, const Slot& span, uint32_t states) {
  const size_t room = span.room();
  if (slot.data != span.data + room || slot.grad != span.grad + room) return false;
  for (int k = 0; k < kMaxStates; k++) {
    if ((states >> k & 1) && slot.state[k] != span.state[k] + room) return false;
  }
  return true;
}

// Whether the same slots would make the same spans.
bool sameShape(const Prepared& a, const Prepared& b) {
  return a.states == b.states && a.keepsZero == b.keepsZero;
}

}  // namespace

Failure Plan::make(const RuleInfo& rule, const std::vector<Slot>& slots, ScalarMaker& f32,
                   bool join) {
  rule_ = &rule;
  if (joined_ != join) shaped_ = false;
  for (size_t i = 0; shaped_ && i < runs_.size(); i++) {
    const Prepared before = runs_[i].prepared;
    if (const Failure failure = prepare(runs_[i], f32); failure.kind) {
      shaped_ = false;  // the spans are those of other options
      return failure;
    }
    shaped_ = sameShape(before, runs_[i].prepared);
  }
  if (shaped_) return {};
  const Failure failure = shape(slots, f32, join);
  shaped_ = !failure.kind;
  joined_ = join;
  return failure;
}

Failure Plan::shape(const std::vector<Slot>& slots, ScalarMaker& f32, bool join) {
  runs_.clear();
  spans_.clear();
  firstSlots_.clear();
  grads_ = kUnknown;
  records_.clear();
  size_ = 0;
  number_ = nextNumber();
  for (size_t i = 0; i < slots.size(); i++) {
    const Slot& slot = slots[i];
    if (slot.grad == nullptr) continue;
    if (runs_.empty() || !shares(runs_.back(), slot)) {
      if (const Failure failure = openRun(slots, i, f32); failure.kind) return failure;
    }
    if (missing(runs_.back().prepared.states, slot)) {
      return {Failure::kMissingState, static_cast<int64_t>(i), -1};
    }
    addRecord(slot.record);
    if (slot.length > 0) addSpan(slot, i, join);
  }
  for (const Slot& span : spans_) size_ += span.length;
  return {};
}

void Plan::split(const std::vector<Slot>& slots) {
  spans_.clear();
  firstSlots_.clear();
  size_ = 0;
  number_ = nextNumber();
  shaped_ = false;
  for (size_t r = 0; r < runs_.size(); r++) {
    const size_t end = r + 1 < runs_.size() ? runs_[r + 1].firstSlot : slots.size();
    runs_[r].firstSpan = spans_.size();
    for (size_t i = runs_[r].firstSlot; i < end; i++) {
      if (slots[i].grad == nullptr || slots[i].length == 0) continue;
      spans_.push_back(slots[i]);
      firstSlots_.push_back(i);
      size_ += slots[i].length;
    }
    runs_[r].endSpan = spans_.size();
  }
}

Failure Plan::openRun(const std::vector<Slot>& slots, size_t slot, ScalarMaker& f32) {
  Run run{};
  run.hyperparameters = slots[slot].hyperparameters;
  run.firstSlot = slot;
  std::memcpy(run.record.values, slots[slot].record, rule_->recordSize * sizeof(double));
  run.firstSpan = run.endSpan = spans_.size();
  run.firstRecord = run.endRecord = records_.size();
  if (const Failure failure = prepare(run, f32); failure.kind) return failure;
  runs_.push_back(run);
  return {};
}

Failure Plan::prepare(Run& run, ScalarMaker& f32) const {
  const auto slot = static_cast<int64_t>(run.firstSlot);
  if (!isCount(run.record.values[0])) return {Failure::kBadCount, slot, -1};
  run.next = run.record;
  run.prepared = rule_->prepare(run.hyperparameters, run.next, f32, run.scalars);
  if (f32.takeFailure()) return {Failure::kOverflow, slot, -1};
  const KernelTable& table = activeTable();
  run.wholeKernel = table.wholeRules[rule_->index];
  run.kernel = rule_->isWhole ? nullptr : table.rules[rule_->index][run.prepared.variant];
  return {};
}

bool Plan::shares(const Run& run, const Slot& slot) const {
  return run.hyperparameters == slot.hyperparameters &&
         std::memcmp(run.record.values, slot.record, rule_->recordSize * sizeof(double)) == 0;
}

// Slots whose arrays follow each other in memory, every one at the same distance, are one span:
// an arena is stepped as a single array, zeros between its parameters included, unless the rule
// would make something else of them.
void Plan::addSpan(const Slot& slot, size_t number, bool join) {
  Run& run = runs_.back();
  if (join && run.prepared.keepsZero && run.endSpan > run.firstSpan &&
      follows(slot, spans_.back(), run.prepared.states)) {
    Slot& span = spans_.back();
    span.length = span.room() + slot.length;
    span.dataOwnsLine = slot.dataOwnsLine;
    span.gradOwnsLine = slot.gradOwnsLine;
  } else {
    spans_.push_back(slot);
    firstSlots_.push_back(number);
    run.endSpan = spans_.size();
  }
}

void Plan::addRecord(double* record) {
  Run& run = runs_.back();
  if (run.endRecord > run.firstRecord &&
      records_.back().first + records_.back().count * rule_->recordSize == record) {
    records_.back().count++;
  } else {
    records_.push_back({record, 1});
    run.endRecord = records_.size();
  }
}

// Whether a slot has not all of these states; an array without elements need not be there.
bool Plan::missing(uint32_t states, const Slot& slot) const {
  states &= ~slot.states;
  if (!rule_->isWhole) return states != 0;
  for (int k = 0; k < kMaxStates; k++) {
    if ((states >> k & 1) && slot.length > 0 && rule_->stateLength(slot.shape(), k) > 0)
      return true;
  }
  return false;
}

size_t Plan::workspace() const {
  size_t most = 0;
  for (const Run& run : runs_) {
    for (size_t i = run.firstSpan; i < run.endSpan; i++) {
      most = std::max(most, rule_->workspace(spans_[i].shape(), run.hyperparameters));
    }
  }
  return most;
}

size_t Plan::longest() const {
  size_t most = 0;
  for (const Slot& span : spans_) most = std::max(most, span.length);
  return most;
}

bool Plan::sharesGrads() {
  if (grads_ != kUnknown) return grads_ == kShared;
  std::vector<const Slot*> sorted;
  for (const Slot& span : spans_) sorted.push_back(&span);
  std::sort(sorted.begin(), sorted.end(),
            [](const Slot* a, const Slot* b) { return std::less<>()(a->grad, b->grad); });
  grads_ = kApart;
  for (size_t i = 1; i < sorted.size(); i++) {
    const Slot& before = *sorted[i - 1];
    if (std::less<>()(sorted[i]->grad, before.grad + before.length)) grads_ = kShared;
  }
  return grads_ == kShared;
}

void Plan::commit() {
  const size_t size = rule_->recordSize;
  for (Run& run : runs_) {
    for (size_t i = run.firstRecord; i < run.endRecord; i++) {
      const auto [first, count] = records_[i];
      if (size == 1) std::fill_n(first, count, run.next.values[0]);
      for (size_t j = 0; size > 1 && j < count; j++) {
        std::memcpy(first + j * size, run.next.values, size * sizeof(double));
      }
    }
    run.record = run.next;
  }
}

}  // namespace gradstep
