// One parameter as the core sees it. Every pointer is borrowed: JavaScript owns the memory and
// proves before each step that it is still there (lib/slots/slot-table.ts).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../rules/shape.h"

namespace gradstep {

constexpr int kMaxStates = 4;
constexpr size_t kFloatsPerLine = 64 / sizeof(float);

inline size_t wholeLines(size_t length) {
  return (length + kFloatsPerLine - 1) / kFloatsPerLine * kFloatsPerLine;
}

struct Slot {
  float* data = nullptr;
  float* grad = nullptr;  // null: the step skips this parameter wholly
  float* state[kMaxStates] = {};
  size_t length = 0;
  // Whether the array that is there now owns its last cache line to its end; state always does.
  bool dataOwnsLine = false, gradOwnsLine = false;
  const double* hyperparameters = nullptr;  // of its group, or its own
  double* record = nullptr;  // what the rule remembers of it; first how often it was stepped
  uint32_t states = 0;       // bit k: state[k] is there
  uint32_t group = 0;
  size_t rows = 0, columns = 0;  // as Shape has them; told only to rules that see shapes

  Shape shape() const { return {length, rows, columns}; }
  // The length, or more where all arrays own their last cache line.
  size_t room() const { return dataOwnsLine && gradOwnsLine ? wholeLines(length) : length; }
};

}  // namespace gradstep
