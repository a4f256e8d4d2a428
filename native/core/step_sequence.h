// Several optimizers and averages that are stepped as one, in order: the native side of
// lib/stepping/step-plan.ts. Whatever of it touches memory is known here: what is in use meanwhile,
// what may run at the same time, and which averages go along in their optimizer's own pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "optimizer.h"

namespace gradstep {

class StepSequence {
 public:
  // By member: 0 for an optimizer; n for an average that is stepped if any optimizer among the n
  // members before it has been, with what they left.
  explicit StepSequence(std::vector<size_t> follows) : follows_(std::move(follows)) {}

  // The parts of a step, as an optimizer has them. What fails in the first two has changed nothing,
  // and failed() is the number of the member; release() is then due as it is after a step.
  // No two members may be the same.
  Failure prepare(const std::vector<Optimizer*>& members, BusyMemory::Where where);
  Failure check();
  // zeroes: whether gradients are zeroed here where options ask for it, or by whoever calls.
  void run(bool zeroes);
  void commit();
  void release() { taker_.release(); }

  size_t failed() const { return failed_; }
  // How many members ran by themselves in the last step, not in the pass of another.
  size_t partCount() const { return parts_.size(); }

 private:
  // A member that runs by itself, and the averages that go along in its pass: follower numbers
  // [firstFollower, endFollower) of followers_.
  struct Part {
    size_t member, firstFollower, endFollower;
    bool startsWave;  // it shares memory with parts that run at the same time before it
  };

  Failure takeMemory(BusyMemory::Where where);
  void arrange();
  void cutIntoWaves();
  bool isDue(size_t average) const;
  bool goesAlong(const Part& part, size_t average) const;
  void addTo(Footprint* footprint, const Part& part) const;

  const std::vector<size_t> follows_;
  std::vector<Optimizer*> members_;
  size_t failed_ = 0;

  Footprint footprint_;
  std::vector<uint64_t> footprintOf_;  // the members' plans, and whether they zero
  BusyMemoryTaker taker_;

  std::vector<uint64_t> order_, arrangedFor_;  // the members' plans: now, and for these parts
  std::vector<Part> parts_;
  std::vector<const Plan*> followers_;
  std::vector<bool> runs_;  // by member
  std::vector<PlannedStep> steps_;
};

}  // namespace gradstep
