#include "step_sequence.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace gradstep {
namespace {

// Addresses, as disjoint intervals.
class AddressSet {
 public:
  bool meets(const Footprint::Range& range) const {
    auto next = ends_.lower_bound(range.begin);
    if (next != ends_.end() && next->first < range.end) return true;
    return next != ends_.begin() && std::prev(next)->second > range.begin;
  }

  void add(Footprint::Range range) {
    if (range.begin >= range.end) return;
    auto at = ends_.lower_bound(range.begin);
    if (at != ends_.begin() && std::prev(at)->second >= range.begin) --at;
    while (at != ends_.end() && at->first <= range.end) {
      range.begin = std::min(range.begin, at->first);
      range.end = std::max(range.end, at->second);
      at = ends_.erase(at);
    }
    ends_.emplace_hint(at, range.begin, range.end);
  }

  void clear() { ends_.clear(); }

 private:
  std::map<uintptr_t, uintptr_t> ends_;  // by beginning
};

// What is read and written at the same time.
class Wave {
 public:
  bool meets(const Footprint& footprint) const {
    return std::any_of(footprint.ranges().begin(), footprint.ranges().end(), [&](const auto& r) {
      return r.begin < r.end && (written_.meets(r) || (r.writes && read_.meets(r)));
    });
  }

  void add(const Footprint& footprint) {
    for (const auto& range : footprint.ranges()) (range.writes ? written_ : read_).add(range);
  }

  void clear() {
    read_.clear();
    written_.clear();
  }

 private:
  AddressSet read_, written_;
};

}  // namespace

Failure StepSequence::prepare(const std::vector<Optimizer*>& members, BusyMemory::Where where) {
  members_.assign(members.begin(), members.end());
  for (failed_ = 0; failed_ < members_.size(); failed_++) {
    if (const Failure failure = members_[failed_]->prepare(); failure.kind) return failure;
  }
  return takeMemory(where);
}

Failure StepSequence::takeMemory(BusyMemory::Where where) {
  size_t size = 0;
  for (const Optimizer* member : members_) size += member->plan().size();
  if (where == BusyMemory::kHere && !BusyMemory::isWatched(size)) return {};
  std::vector<uint64_t> of;
  for (const Optimizer* member : members_) {
    of.push_back(member->plan().number() << 1 | (member->wantsZeroGrads() ? 1 : 0));
  }
  if (of != footprintOf_) {
    footprintOf_.clear();
    footprint_.clear();
    for (const Optimizer* member : members_) member->addTo(&footprint_, member->wantsZeroGrads());
    footprint_.sort();
    footprintOf_ = std::move(of);
  }
  size_t range = taker_.take(footprint_, where);
  if (range == BusyMemory::kFree) return {};
  for (failed_ = 0;; failed_++) {
    const Optimizer& member = *members_[failed_];
    const size_t ranges = member.plan().spans().size() * member.rangesPerSpan();
    if (range < ranges) return member.busyAt(range);
    range -= ranges;
  }
}

Failure StepSequence::check() {
  for (failed_ = 0; failed_ < members_.size(); failed_++) {
    if (const Failure failure = members_[failed_]->check(); failure.kind) return failure;
  }
  order_.clear();
  for (const Optimizer* member : members_) {
    const uint64_t flags = (member->skips() ? 1 : 0) | (member->planned().flushDenormals ? 2 : 0);
    order_.push_back(member->plan().number() << 2 | flags);
  }
  if (order_ == arrangedFor_) return {};
  arrangedFor_.clear();
  arrange();
  cutIntoWaves();
  steps_.reserve(parts_.size());
  arrangedFor_.assign(order_.begin(), order_.end());
  return {};
}

void StepSequence::arrange() {
  parts_.clear();
  followers_.clear();
  followers_.reserve(members_.size());
  runs_.assign(members_.size(), false);
  for (size_t i = 0; i < members_.size(); i++) {
    if (follows_[i] == 0 ? members_[i]->skips() : !isDue(i)) continue;
    runs_[i] = true;
    if (follows_[i] > 0 && goesAlong(parts_.back(), i)) {
      followers_.push_back(&members_[i]->plan());
      parts_.back().endFollower++;
    } else {
      parts_.push_back({i, followers_.size(), followers_.size(), false});
    }
  }
}

bool StepSequence::isDue(size_t average) const {
  for (size_t i = average - follows_[average]; i < average; i++) {
    if (follows_[i] == 0 && runs_[i]) return true;
  }
  return false;
}

// Whether each span of the average reads what the span of the same number has just written, and
// nothing else of the pass meets what the average writes.
bool StepSequence::goesAlong(const Part& part, size_t average) const {
  const Optimizer& leader = *members_[part.member];
  const Optimizer& follower = *members_[average];
  if (follows_[part.member] > 0 || leader.planned().flushDenormals) return false;
  if (leader.plan().isWhole()) return false;
  const std::vector<Slot>& written = leader.plan().spans();
  const std::vector<Slot>& spans = follower.plan().spans();
  if (follower.plan().runs().size() != 1 || spans.size() != written.size()) return false;
  Wave pass;
  Footprint footprint, averages;
  addTo(&footprint, part);
  pass.add(footprint);
  for (size_t i = 0; i < spans.size(); i++) {
    if (spans[i].grad != written[i].data || spans[i].length != written[i].length) return false;
    averages.add(spans[i].data, spans[i].length * sizeof(float), true);
  }
  return !pass.meets(averages);
}

// Zeroing comes after all of them, and so is not of the pass.
void StepSequence::addTo(Footprint* footprint, const Part& part) const {
  members_[part.member]->addTo(footprint, false);
  for (size_t f = part.firstFollower; f < part.endFollower; f++) {
    for (const Slot& span : followers_[f]->spans()) {
      footprint->add(span.data, span.length * sizeof(float), true);
    }
  }
}

void StepSequence::cutIntoWaves() {
  if (parts_.size() < 2) return;
  Wave wave;
  for (Part& part : parts_) {
    Footprint footprint;
    addTo(&footprint, part);
    part.startsWave = wave.meets(footprint);
    if (part.startsWave) wave.clear();
    wave.add(footprint);
  }
}

void StepSequence::run(bool zeroes) {
  const bool inPass = zeroes && parts_.size() == 1;
  steps_.clear();
  for (const Part& part : parts_) {
    if (part.startsWave) {
      execute(steps_.data(), steps_.size());
      steps_.clear();
    }
    PlannedStep step = members_[part.member]->planned();
    step.followers = followers_.data() + part.firstFollower;
    step.followerCount = part.endFollower - part.firstFollower;
    // Others may yet read the same gradients.
    step.zeroGrad = step.zeroGrad && inPass;
    steps_.push_back(step);
  }
  if (!steps_.empty()) execute(steps_.data(), steps_.size());
  if (!zeroes) return;
  for (size_t i = 0; i < members_.size(); i++) {
    const Optimizer& member = *members_[i];
    const bool isDone = inPass && member.planned().zeroGrad;
    if (runs_[i] && member.wantsZeroGrads() && !isDone) member.zeroGrads();
  }
}

void StepSequence::commit() {
  for (size_t i = 0; i < members_.size(); i++) {
    if (follows_[i] == 0 || runs_[i]) members_[i]->commit();
  }
}

}  // namespace gradstep
