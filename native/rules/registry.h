// The rules without their types, for the core: one row per rule, in the order of AllRules.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rules.h"

namespace gradstep {

struct alignas(16) ScalarStorage {
  unsigned char bytes[64];
};

constexpr size_t kMaxFields = 16;

struct RuleInfo {
  const char* name;
  int index;  // into the kernel table
  bool byCount;
  size_t fieldCount;
  const char* (*fieldName)(size_t field);
  // The field as the C++ struct sees it: the proof that both languages mean the same double.
  double (*field)(const double* hyperparameters, size_t field);
  uint32_t (*states)(const double* hyperparameters);
  bool (*counts)(const double* hyperparameters);
  bool (*keepsZero)(const double* hyperparameters);
  int (*prepare)(const double* hyperparameters, double count, ScalarMaker&, ScalarStorage&);
};

// The rule of this name, or null.
const RuleInfo* findRule(const char* name);

}  // namespace gradstep
