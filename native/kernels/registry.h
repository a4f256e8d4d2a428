// The rules without their types, for the core: one row per rule, in the order of AllRules.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../rules/rules.h"

namespace gradstep {

struct alignas(16) ScalarStorage {
  unsigned char bytes[64];
};

constexpr size_t kMaxFields = 16;
constexpr size_t kMaxRecord = 4;

// A rule's record, without its type. Its first member counts steps.
struct RecordStorage {
  double values[kMaxRecord] = {};
};

// What one group's options and one record ask of a step.
struct Prepared {
  int variant;
  uint32_t states;  // bits of the state arrays that are needed
  bool keepsZero;
  float sign;  // -0 turns the sign of every gradient
};

struct RuleInfo {
  const char* name;
  int index;  // into the kernel table
  size_t fieldCount;
  const char* (*fieldName)(size_t field);
  // The field as the C++ struct sees it: the proof that both languages mean the same double.
  double (*field)(const double* hyperparameters, size_t field);
  size_t recordSize;
  const char* const* recordNames;
  Prepared (*prepare)(const double* hyperparameters, RecordStorage&, ScalarMaker&, ScalarStorage&);
  bool isWhole;  // it sees shapes, and takes parameters whole
  // How long a state array of a parameter is; 0: it has none.
  size_t (*stateLength)(const Shape& shape, int which);
  // How many floats of memory a step of a parameter needs beside its arrays.
  size_t (*workspace)(const Shape& shape, const double* hyperparameters);
};

// The rule of this name, or null.
const RuleInfo* findRule(const char* name);

}  // namespace gradstep
