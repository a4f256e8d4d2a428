// The steps of an optimizer: its plan, the check of its gradients, the kernels, the report.
#include <algorithm>
#include <cmath>
#include <limits>

#include "optimizer.h"

namespace gradstep {
namespace {

constexpr StepOptions kPlainOptions = {
    1, std::numeric_limits<double>::infinity(), -1, 2, kGlobal, kApply, 0, 0, 0};

}  // namespace

void Optimizer::setOptions(const StepOptions* options, StepReport* report) {
  liveOptions_ = options;
  report_ = report;
}

// Each slot has a coefficient of its own: then each is its own span.
bool Optimizer::joins() const {
  return options_.maxGradNorm < 0 || options_.clipScope != kPerParam;
}

Failure Optimizer::prepare() {
  if (const Failure failure = verifyMemory(); failure.kind) return failure;
  options_ = liveOptions_ == nullptr ? kPlainOptions : *liveOptions_;
  if (const Failure failure = plan_.make(rule_, slots_, scalarMaker_, joins()); failure.kind) {
    return failure;
  }
  if (!BusyMemory::idle()) {
    const size_t range = BusyMemory::conflict(ranges());
    if (range != BusyMemory::kFree) return busyAt(range);
  }
  if (GradientCheck::isNeeded(options_) && !checkShaped_) {
    check_.shape(slots_);
    checkShaped_ = true;
  }
  planned_ = {};
  planned_.plan = &plan_;
  planned_.factors.scale = static_cast<float>(options_.gradScale);
  planned_.factors.bound = static_cast<float>(options_.clipValue);
  planned_.zeroGrad = options_.zeroGrad != 0 && !plan_.sharesGrads();
  planned_.flushDenormals = options_.flushDenormals != 0;
  planned_.follower = planFollower();
  skips_ = false;
  return {};
}

Optimizer::~Optimizer() {
  follow(nullptr);
  if (leader_ != nullptr) leader_->follower_ = nullptr;
}

void Optimizer::follow(Optimizer* average) {
  if (follower_ != nullptr) follower_->leader_ = nullptr;
  follower_ = average;
  if (average == nullptr) return;
  if (average->leader_ != nullptr) average->leader_->follower_ = nullptr;
  average->leader_ = this;
}

// Null where it cannot take part: then whoever attached it steps it by itself, or is told why not.
const Plan* Optimizer::planFollower() {
  if (follower_ == nullptr || follower_->prepare().kind) return nullptr;
  const Plan& plan = follower_->plan_;
  const std::vector<Slot>& spans = plan_.spans();
  if (plan.runs().size() != 1 || plan.spans().size() != spans.size()) return nullptr;
  for (size_t i = 0; i < spans.size(); i++) {
    const Slot& span = plan.spans()[i];
    if (span.grad != spans[i].data || span.length != spans[i].length) return nullptr;
  }
  return &plan;
}

Failure Optimizer::check() {
  if (!GradientCheck::isNeeded(options_)) return {};
  check_.measure(slots_, options_, planned_.factors);
  if (check_.nonFinite() > 0) {
    const auto slot = static_cast<int64_t>(check_.firstNonFinite());
    if (options_.onNonFinite == kError) return {Failure::kNonFinite, slot, -1};
    skips_ = options_.onNonFinite == kSkip;
    if (skips_ && report_->consecutiveSkips >= options_.maxConsecutiveSkips) {
      return {Failure::kSkips, slot, -1};
    }
  }
  return skips_ || options_.maxGradNorm < 0 ? Failure{} : clip();
}

// Hands the coefficients of clipping to the step.
Failure Optimizer::clip() {
  // NaN times the zeros between an arena's parameters would not be zero: no neighbours are joined.
  if (std::isnan(check_.totalNorm()) && plan_.joined()) {
    if (const Failure failure = plan_.make(rule_, slots_, scalarMaker_, false); failure.kind) {
      return failure;
    }
  }
  coefficients_.clear();
  for (const Run& run : plan_.runs()) {
    for (size_t i = run.firstSpan; i < run.endSpan; i++) {
      coefficients_.push_back(check_.coefficient(plan_.firstSlotOf(i)));
    }
  }
  planned_.coefficients = coefficients_.data();
  return {};
}

void Optimizer::zeroGrads() const {
  for (const Slot& span : plan_.spans()) std::fill_n(span.grad, span.length, 0.0f);
}

void Optimizer::commit() {
  if (!skips_) plan_.commit();
  if (!skips_ && planned_.follower != nullptr) follower_->commit();
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

// What the step shares with others' steps: per span its data and its gradient. State is its own.
std::vector<BusyMemory::Range> Optimizer::ranges() const {
  std::vector<BusyMemory::Range> ranges;
  const auto add = [&](const float* array, size_t length, bool writes) {
    const auto begin = reinterpret_cast<uintptr_t>(array);
    ranges.push_back({begin, begin + length * sizeof(float), writes});
  };
  for (const Slot& span : plan_.spans()) {
    add(span.data, span.length, true);
    add(span.grad, span.length, options_.zeroGrad != 0);
  }
  if (planned_.follower == nullptr) return ranges;
  for (const Slot& span : planned_.follower->spans()) add(span.data, span.length, true);
  return ranges;
}

Failure Optimizer::busyAt(size_t range) const {
  range %= 2 * plan_.spans().size();
  return {Failure::kBusy, static_cast<int64_t>(plan_.firstSlotOf(range / 2)), -1};
}

Failure Optimizer::takeMemory() {
  const size_t range = BusyMemory::take(this, ranges());
  if (range != BusyMemory::kFree) return busyAt(range);
  busy_ = true;
  return {};
}

void Optimizer::releaseMemory() {
  BusyMemory::release(this);
  busy_ = false;
}

Failure Optimizer::step() {
  if (const Failure failure = prepare(); failure.kind) return failure;
  if (const Failure failure = check(); failure.kind) return failure;
  run();
  commit();
  return {};
}

Failure stepOptimizers(Optimizer* const* optimizers, size_t count, size_t* failed) {
  std::vector<PlannedStep> steps;
  steps.reserve(count);
  for (size_t i = 0; i < count; i++) {
    *failed = i;
    if (const Failure failure = optimizers[i]->prepare(); failure.kind) return failure;
  }
  for (size_t i = 0; i < count; i++) {
    *failed = i;
    if (const Failure failure = optimizers[i]->check(); failure.kind) return failure;
    if (optimizers[i]->skips()) continue;
    steps.push_back(optimizers[i]->planned());
    steps.back().zeroGrad = false;  // another optimizer may yet read the same gradients
  }
  execute(steps.data(), steps.size());
  for (size_t i = 0; i < count; i++) {
    Optimizer& optimizer = *optimizers[i];
    if (!optimizer.skips() && optimizer.wantsZeroGrads()) optimizer.zeroGrads();
    optimizer.commit();
  }
  return {};
}

}  // namespace gradstep
