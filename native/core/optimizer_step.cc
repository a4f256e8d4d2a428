// The steps of an optimizer: its plan, the check of its gradients, the kernels, the report.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "optimizer.h"

namespace gradstep {
namespace {

constexpr StepOptions kPlainOptions = {
    1, std::numeric_limits<double>::infinity(), -1, 2, kGlobal, kApply, 0, 0, 0, 0};

// Each thread remembers for itself, so that none waits for another.
PowerMemo& powersOfThisThread() {
  thread_local PowerMemo powers;
  return powers;
}

}  // namespace

void Optimizer::setOptions(const StepOptions* options, StepReport* report) {
  liveOptions_ = options;
  report_ = report;
}

// Each slot has a coefficient of its own: then each is its own span.
bool Optimizer::joins() const {
  const bool alike = options_.maxGradNorm < 0 || options_.clipScope != kPerParam;
  // Where subnormal numbers are zeros, keepsZero() may be wrong about eps.
  return alike && options_.flushDenormals == 0;
}

Failure Optimizer::prepare() {
  if (const Failure failure = verifyMemory(); failure.kind) return failure;
  options_ = liveOptions_ == nullptr ? kPlainOptions : *liveOptions_;
  ScalarMaker f32(powersOfThisThread());
  if (const Failure failure = plan_.make(rule_, slots_, f32, joins()); failure.kind) return failure;
  if (GradientCheck::isNeeded(options_) && !checkShaped_) {
    check_.shape(slots_, pieces_);
    checkShaped_ = true;
  }
  planned_ = {};
  planned_.plan = &plan_;
  planned_.factors.scale = static_cast<float>(options_.gradScale);
  planned_.factors.bound = static_cast<float>(options_.clipValue);
  planned_.zeroGrad = options_.zeroGrad != 0 && !plan_.sharesGrads();
  planned_.threads = static_cast<int>(options_.numThreads);
  planned_.flushDenormals = options_.flushDenormals != 0;
  if (plan_.isWhole()) planned_.workspace = reserveWorkspace();
  skips_ = false;
  return {};
}

// For the rule, and before that for a gradient as it shall be; both on cache lines.
float* Optimizer::reserveWorkspace() {
  const size_t size = wholeLines(plan_.longest()) + plan_.workspace() + kFloatsPerLine;
  if (workspace_.size() < size) {
    std::vector<float>().swap(workspace_);  // never both
    workspace_.resize(size);
  }
  const auto past = reinterpret_cast<uintptr_t>(workspace_.data()) / sizeof(float);
  return workspace_.data() + (kFloatsPerLine - past % kFloatsPerLine) % kFloatsPerLine;
}

Failure Optimizer::check() {
  if (!GradientCheck::isNeeded(options_)) return {};
  check_.measure(slots_, options_, planned_.factors);
  if (check_.failed()) {
    const auto slot = static_cast<int64_t>(check_.firstNonFinite());
    if (options_.onNonFinite == kError) return {Failure::kNonFinite, slot, -1};
    skips_ = options_.onNonFinite == kSkip;
    if (skips_ && report_->consecutiveSkips >= options_.maxConsecutiveSkips) {
      return {Failure::kSkips, slot, -1};
    }
  }
  if (!skips_ && options_.maxGradNorm >= 0) clip();
  return {};
}

// Hands the coefficients of clipping to the step.
void Optimizer::clip() {
  // NaN times the zeros between an arena's parameters would not be zero: neighbours come apart.
  const auto isNaN = [&](const Run& run) { return std::isnan(check_.coefficient(run.firstSlot)); };
  if (plan_.joined() && std::any_of(plan_.runs().begin(), plan_.runs().end(), isNaN)) {
    plan_.split(slots_);
  }
  coefficients_.clear();
  bool clips = false;
  for (const Run& run : plan_.runs()) {
    for (size_t i = run.firstSpan; i < run.endSpan; i++) {
      const float coefficient = check_.coefficient(plan_.firstSlotOf(i));
      coefficients_.push_back(coefficient);
      clips |= coefficient != 1;
    }
  }
  planned_.coefficients = clips ? coefficients_.data() : nullptr;
}

void Optimizer::zeroGrads() const {
  for (const Slot& span : plan_.spans()) std::fill_n(span.grad, span.length, 0.0f);
}

void Optimizer::commit() {
  if (!skips_) plan_.commit();
  if (report_ == nullptr) return;
  const bool checked = GradientCheck::isNeeded(options_);
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  report_->stepped = skips_ ? 0 : 1;
  report_->gradNorm = checked ? check_.totalNorm() : kNaN;
  report_->nonFinite = checked ? check_.nonFinite() : kNaN;
  report_->skipped += skips_ ? 1 : 0;
  report_->consecutiveSkips = skips_ ? report_->consecutiveSkips + 1 : 0;
}

void Optimizer::run() {
  if (skips_) return;
  execute(&planned_, 1);
  // Gradients that parameters share are zeros only now that all have read them.
  if (options_.zeroGrad != 0 && !planned_.zeroGrad) zeroGrads();
}

// rangesPerSpan() for each, so that busyAt() finds the way back: what is not there is empty.
void Optimizer::addTo(Footprint* footprint, bool zeroes) const {
  for (const Run& run : plan_.runs()) {
    for (size_t i = run.firstSpan; i < run.endSpan; i++) {
      const Slot& span = plan_.spans()[i];
      const size_t bytes = span.length * sizeof(float);
      footprint->add(span.data, bytes, true);
      footprint->add(span.grad, bytes, zeroes);
      for (int k = 0; k < kMaxStates; k++) {
        const bool isThere = run.prepared.states >> k & 1 && span.state[k] != nullptr;
        const size_t length = rule_.isWhole ? rule_.stateLength(span.shape(), k) : span.length;
        footprint->add(span.state[k], isThere ? length * sizeof(float) : 0, true);
      }
    }
  }
}

const Footprint& Optimizer::footprint() {
  const bool zeroes = wantsZeroGrads();
  if (footprintOf_ == plan_.number() && footprintZeroes_ == zeroes) return footprint_;
  footprintOf_ = 0;
  footprint_.clear();
  addTo(&footprint_, zeroes);
  footprint_.sort();
  footprintOf_ = plan_.number();
  footprintZeroes_ = zeroes;
  return footprint_;
}

Failure Optimizer::busyAt(size_t range) const {
  const size_t slot = plan_.firstSlotOf(range / rangesPerSpan());
  return {Failure::kBusy, static_cast<int64_t>(slot), -1};
}

Failure Optimizer::verifyIdle() const {
  if (BusyMemory::idle()) return {};
  Footprint footprint;
  for (const Slot& slot : slots_) {
    const size_t bytes = slot.length * sizeof(float);
    footprint.add(slot.data, bytes, true);
    footprint.add(slot.grad, slot.grad == nullptr ? 0 : bytes, true);
  }
  const size_t range = BusyMemory::conflict(footprint);
  if (range == BusyMemory::kFree) return {};
  return {Failure::kBusy, static_cast<int64_t>(range / 2), -1};
}

Failure Optimizer::step() {
  if (const Failure failure = prepare(); failure.kind) return failure;
  BusyMemoryTaker taker;
  if (BusyMemory::isWatched(plan_.size())) {
    const size_t range = taker.take(footprint(), BusyMemory::kHere);
    if (range != BusyMemory::kFree) return busyAt(range);
  }
  if (const Failure failure = check(); failure.kind) return failure;
  run();
  commit();
  return {};
}

}  // namespace gradstep
