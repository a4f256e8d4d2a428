// One optimizer as the core sees it: groups (borrowed hyperparameter structs), slots (borrowed
// arrays) and a step over all of them. Nothing here knows Node-API, and nothing is written
// before everything has been checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../kernels/registry.h"
#include "busy_memory.h"
#include "execute.h"
#include "failure.h"
#include "gradient_check.h"
#include "memory_map.h"
#include "plan.h"
#include "../kernels/slot.h"

namespace gradstep {

struct FloatSpan {
  float* data;
  size_t length;
};

class Optimizer {
 public:
  explicit Optimizer(const RuleInfo& rule) : rule_(rule) {}
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // Declares memory of the optimizer itself: no parameter and no gradient may lie in it.
  void claimState(const void* begin, size_t bytes);
  // These bytes are nobody's any more.
  void releaseState(const void* begin);

  // Adds a group with its parameters: all of them, or none and the reason.
  Failure addGroup(const double* hyperparameters, double* records,
                   const std::vector<FloatSpan>& data);

  // What addGroup would refuse.
  Failure findOverlap(const std::vector<FloatSpan>& data);
  // Gives up the claim on a slot's data, whose memory is gone.
  void releaseData(size_t slot);

  // Lets slots go, given in increasing order; those behind them move up.
  // Slots of a group that stands, before the slot `first`, which moves up with all behind it.
  Failure insertSlots(size_t first, uint32_t group, const double* hyperparameters, double* records,
                      const std::vector<FloatSpan>& data);
  void removeSlots(const std::vector<size_t>& gone);
  // The slot has the data of another parameter, of whatever length, and no gradient and no state
  // until they are set. A failure calls it as if it came after all others.
  Failure replaceSlot(size_t slot, FloatSpan data);

  // The slot's data owns its last cache line to its end, as long as it is that array: where its
  // gradient does too, neighbours may be stepped as one.
  void ownLines(size_t slot);

  // Of the slot's gradient only these pieces count where gradients are measured or looked at: what
  // lies between them is padding.
  void setPieces(size_t slot, std::vector<Piece> pieces);

  // The last two dimensions of the slot's parameter; without a call it has fewer.
  void setShape(size_t slot, size_t rows, size_t columns);

  // The slot's hyperparameters and record lie here, no longer where its group's do.
  void setSlot(size_t slot, const double* hyperparameters, double* record);
  void setState(size_t slot, int which, float* state);
  void setData(size_t slot, float* data);
  void setGrad(size_t slot, float* grad, bool ownsLine = false);

  // Refuses arrays that came since the last step and overlap.
  Failure verifyMemory();

  // Reads these options at each step, and reports there. Without them: kApply, no clipping.
  void setOptions(const StepOptions* options, StepReport* report);

  // A step in parts, so that several optimizers can be stepped as one, or on another thread.
  // First what can fail and changes nothing: prepare() reads everything that JavaScript may write;
  // check(), on any thread, passes over the gradients if the options ask for it.
  Failure prepare();
  Failure check();
  // Then the kernels, on any thread, unless the step is skipped; then step counts.
  bool skips() const { return skips_; }
  const PlannedStep& planned() const { return planned_; }
  void run();
  void commit();

  // Everything that the step reads and writes of memory that others may know: of each span its
  // data, its gradient and its state. Remembered until the plan or what it zeroes changes.
  const Footprint& footprint();
  void addTo(Footprint* footprint, bool zeroes) const;
  size_t rangesPerSpan() const { return 2 + kMaxStates; }
  // The failure of a step whose range, of those that addTo() adds, is in use.
  Failure busyAt(size_t range) const;
  // Refuses memory that a step in the background is working on, if it is to be written.
  Failure verifyIdle() const;

  // Whether a step in the background has this optimizer.
  bool isBusy() const { return busy_; }
  void setBusy(bool busy) { busy_ = busy; }

  bool wantsZeroGrads() const { return options_.zeroGrad != 0; }
  void zeroGrads() const;

  // Steps every parameter that has a gradient; on failure nothing has changed.
  Failure step();

  const RuleInfo& rule() const { return rule_; }
  const std::vector<Slot>& slots() const { return slots_; }
  const std::vector<const double*>& groups() const { return groups_; }
  const Plan& plan() const { return plan_; }
  // How many spans the last step's kernels ran over.
  size_t spanCount() const { return plan_.spans().size(); }

 private:
  Failure claimAll(const std::vector<FloatSpan>& data);
  void releaseFirst(size_t count, const std::vector<FloatSpan>& data);
  Failure verifyGrad(size_t slot) const;
  // The arrays of a slot have changed: the next step looks at every slot again.
  void forgetShape();
  bool joins() const;
  void clip();
  float* reserveWorkspace();

  const RuleInfo& rule_;
  std::vector<Slot> slots_;
  std::vector<const double*> groups_;
  Plan plan_;
  const StepOptions* liveOptions_ = nullptr;
  StepReport* report_ = nullptr;
  StepOptions options_;  // those of the step that is under way
  GradientCheck check_;
  Pieces pieces_;
  bool checkShaped_ = false;
  bool skips_ = false, busy_ = false;
  PlannedStep planned_;
  std::vector<float> coefficients_;  // by span
  std::vector<float> workspace_;     // of a rule that takes parameters whole
  Footprint footprint_;
  uint64_t footprintOf_ = 0;  // the plan's number then
  bool footprintZeroes_ = false;
  MemoryMap memory_;
  std::vector<size_t> movedData_, movedGrads_;  // not verified yet
  bool allGradsMoved_ = false;
};

}  // namespace gradstep
