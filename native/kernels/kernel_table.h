// What one instruction set offers: a kernel per rule and variant. Every function gives the same
// bits in every table.
#pragma once

#include <stddef.h>

#include "slot.h"
#include "team.h"
#include "treatment.h"
#include "reduction.h"

namespace gradstep {

// Steps a run of slots that share their scalars: [from, length) of the first, all of those
// between, [0, to) of the last. Every slot has a gradient; a `sign` of -0 turns that of each.
using Kernel = void (*)(const void* scalars, float sign, const Slot* first, const Slot* end,
                        size_t from, size_t to);

// From how many elements on it pays to step the first few apart, so that the vectors which follow
// lie on cache lines; state is then laid out alike (lib/memory/slab.ts).
constexpr size_t kLongArray = 256;
// Steps one slot whole, with a rule that sees shapes.
using WholeKernel = void (*)(const void* scalars, float sign, const Slot& slot, float* workspace,
                             const Team& team);

constexpr int kMaxRules = 32;

struct KernelTable {
  const char* name;
  const Kernel* rules[kMaxRules];     // by RuleInfo::index, then by variant; null for a whole rule
  WholeKernel wholeRules[kMaxRules];  // by RuleInfo::index; null for any other
  // out[i] = grad[i], multiplied, clamped, multiplied.
  void (*treat)(const GradientFactors& factors, const float* grad, float* out, size_t count);
  // out[i] = fma(a[i], b[i], c[i]), to test the one operation that everything rests on.
  void (*fma)(const float* a, const float* b, const float* c, float* out, size_t count);
  const ReduceKernel* reduce;  // by Reduction
};

// Null where the compiler's target has no such instructions.
extern const KernelTable* const kAvx512Table;
extern const KernelTable* const kAvx2Table;
extern const KernelTable* const kNeonTable;
extern const KernelTable* const kScalarTable;
// Of the one instruction set that a module of WebAssembly is compiled for. Its rules step one slot,
// from its beginning, and whole vectors.
extern const KernelTable* const kWasmTable;

}  // namespace gradstep
