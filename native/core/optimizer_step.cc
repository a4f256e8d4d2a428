// The steps of an optimizer: its plan, the check of its gradients, the kernels, the report.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

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
  const bool alike = options_.maxGradNorm < 0 || options_.clipScope != kPerParam;
  // Where subnormal numbers are zeros, keepsZero() may be wrong about eps.
  return alike && options_.flushDenormals == 0;
}

Failure Optimizer::prepare() {
  if (const Failure failure = verifyMemory(); failure.kind) return failure;
  options_ = liveOptions_ == nullptr ? kPlainOptions : *liveOptions_;
  if (const Failure failure = plan_.make(rule_, slots_, scalarMaker_, joins()); failure.kind) {
    return failure;
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
  if (!BusyMemory::idle()) {
    const size_t range = BusyMemory::conflict(ranges());
    if (range != BusyMemory::kFree) return busyAt(range);
  }
  return {};
}

Optimizer::~Optimizer() {
  follow(nullptr);
  if (leader_ != nullptr) leader_->follow(nullptr);
}

void Optimizer::follow(Optimizer* average) {
  if (follower_ != nullptr) follower_->leader_ = nullptr;
  follower_ = average;
  planned_.follower = nullptr;
  if (average == nullptr) return;
  if (average->leader_ != nullptr) average->leader_->follow(nullptr);
  average->leader_ = this;
}

// Null where it cannot take part: then whoever attached it steps it by itself, or is told why not.
const Plan* Optimizer::planFollower() {
  // An average by itself does not flush subnormal numbers.
  if (follower_ == nullptr || options_.flushDenormals != 0) return nullptr;
  if (follower_->prepare().kind) return nullptr;
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
    planned_.follower = nullptr;  // whose spans are joined
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
  const size_t own = 2 * plan_.spans().size();  // a follower's come after them
  const size_t span = range < own ? range / 2 : range - own;
  return {Failure::kBusy, static_cast<int64_t>(plan_.firstSlotOf(span)), -1};
}

Failure Optimizer::verifyIdle() const {
  if (BusyMemory::idle()) return {};
  for (size_t i = 0; i < slots_.size(); i++) {
    std::vector<BusyMemory::Range> ranges;
    for (const float* array : {slots_[i].data, slots_[i].grad}) {
      const auto begin = reinterpret_cast<uintptr_t>(array);
      if (array) ranges.push_back({begin, begin + slots_[i].length * sizeof(float), true});
    }
    if (BusyMemory::conflict(ranges) != BusyMemory::kFree) {
      return {Failure::kBusy, static_cast<int64_t>(i), -1};
    }
  }
  return {};
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

// Whether what one of them writes is read or written by another. Remembered as long as no array
// changes.
static bool sharesMemory(Optimizer* const* optimizers, size_t count, Sharing* memo) {
  std::vector<uint64_t>& seen = memo->seen;
  bool& shares = memo->shares;
  bool same = seen.size() == count;
  for (size_t i = 0; same && i < count; i++) same = seen[i] == optimizers[i]->shape();
  if (same) return shares;
  seen.clear();
  std::vector<std::pair<BusyMemory::Range, size_t>> ranges;
  for (size_t i = 0; i < count; i++) {
    seen.push_back(optimizers[i]->shape());
    for (const BusyMemory::Range& range : optimizers[i]->ranges()) ranges.push_back({range, i});
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
  shares = false;
  uintptr_t read = 0, written = 0;  // where what came before ends
  for (const auto& [range, owner] : ranges) {
    if (range.begin < written || (range.writes && range.begin < read)) shares = true;
    (range.writes ? written : read) = std::max(range.writes ? written : read, range.end);
  }
  return shares;
}

Failure stepOptimizers(Optimizer* const* optimizers, size_t count, size_t* failed, Sharing* memo) {
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
  if (sharesMemory(optimizers, count, memo)) {
    for (const PlannedStep& step : steps) execute(&step, 1);  // one after the other
  } else {
    execute(steps.data(), steps.size());
  }
  for (size_t i = 0; i < count; i++) {
    Optimizer& optimizer = *optimizers[i];
    if (!optimizer.skips() && optimizer.wantsZeroGrads()) optimizer.zeroGrads();
    optimizer.commit();
  }
  return {};
}

}  // namespace gradstep
