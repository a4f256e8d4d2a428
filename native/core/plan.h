// What one step of an optimizer will do: which kernel steps which memory, with which scalars.
// Its shape is kept from step to step while the arrays stay; the scalars are made anew each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../kernels/registry.h"
#include "../kernels/kernel_table.h"
#include "failure.h"
#include "../kernels/slot.h"

namespace gradstep {

// Neighbouring slots that share their scalars: one kernel call.
struct Run {
  Kernel kernel;            // null for a rule that takes parameters whole
  WholeKernel wholeKernel;  // null for any other
  const double* hyperparameters;
  RecordStorage record, next;  // of every slot: before this step, and after it
  Prepared prepared;
  ScalarStorage scalars;
  size_t firstSlot;
  size_t firstSpan, endSpan;      // what the kernel steps
  size_t firstRecord, endRecord;  // where `next` goes
};

class Plan {
 public:
  // Everything that can fail, before anything is written. With `join`, slots that follow each
  // other in memory become one span.
  Failure make(const RuleInfo& rule, const std::vector<Slot>& slots, ScalarMaker& f32, bool join);

  // Takes joined spans apart again, with the scalars that make() captured.
  void split(const std::vector<Slot>& slots);

  // The arrays or records of a slot have changed: make() looks at every slot again.
  void forget() { shaped_ = false; }

  // The step is done: every record becomes what it is now.
  void commit();

  const std::vector<Run>& runs() const { return runs_; }
  const std::vector<Slot>& spans() const { return spans_; }
  bool joined() const { return joined_; }
  // Whether its rule takes parameters whole; then every slot is a span, and how many floats of
  // memory the largest of them needs beside its arrays.
  bool isWhole() const { return rule_ != nullptr && rule_->isWhole; }
  size_t workspace() const;
  size_t longest() const;
  // The first of the slots that a span consists of.
  size_t firstSlotOf(size_t span) const { return firstSlots_[span]; }
  // Whether two spans read the same gradient; remembered as long as the shape is.
  bool sharesGrads();
  // Another number whenever the spans are others; never that of another plan.
  uint64_t number() const { return number_; }
  // How many floats the kernels will step.
  size_t size() const { return size_; }

 private:
  // Records that lie side by side.
  struct Records {
    double* first;
    size_t count;
  };

  Failure shape(const std::vector<Slot>& slots, ScalarMaker& f32, bool join);
  Failure openRun(const std::vector<Slot>& slots, size_t slot, ScalarMaker& f32);
  Failure prepare(Run& run, ScalarMaker& f32) const;
  bool shares(const Run& run, const Slot& slot) const;
  void addSpan(const Slot& slot, size_t number, bool join);
  void addRecord(double* record);
  bool missing(uint32_t states, const Slot& slot) const;

  const RuleInfo* rule_ = nullptr;
  bool shaped_ = false, joined_ = false;
  std::vector<Run> runs_;
  std::vector<Slot> spans_;
  std::vector<size_t> firstSlots_;  // by span
  std::vector<Records> records_;
  size_t size_ = 0;
  uint64_t number_ = 0;
  enum { kUnknown, kApart, kShared } grads_ = kUnknown;
};

}  // namespace gradstep
