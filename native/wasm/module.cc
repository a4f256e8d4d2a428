// What a module of WebAssembly offers to lib/backend/wasm/: the kernels of one instruction set and
// the scalars of every rule. It knows no optimizers: those are TypeScript's. All addresses are of
// the memory that an instance imports; whoever calls owns what lies there.
#include "../kernels/kernel_table.h"
#include "../kernels/registry.h"

#define EXPORT(name) extern "C" __attribute__((export_name(name)))

namespace gradstep {
namespace {

PowerMemo powers;

constexpr size_t kLanes = 4;

Slot slotOf(float* const (&arrays)[2 + kMaxStates], size_t at) {
  Slot slot;
  slot.data = arrays[0] + at;
  slot.grad = arrays[1] + at;
  for (int k = 0; k < kMaxStates; k++) slot.state[k] = arrays[2 + k] + at;
  return slot;
}

// The last elements, fewer than a vector has, in a copy.
void stepRest(Kernel kernel, const void* scalars, float sign,
              float* const (&arrays)[2 + kMaxStates], size_t at, size_t count) {
  float lanes[2 + kMaxStates][kLanes] = {};
  float* copies[2 + kMaxStates];
  for (int k = 0; k < 2 + kMaxStates; k++) {
    copies[k] = lanes[k];
    for (size_t i = 0; arrays[k] != nullptr && i < count; i++) lanes[k][i] = arrays[k][at + i];
  }
  const Slot slot = slotOf(copies, 0);
  kernel(scalars, sign, &slot, &slot + 1, 0, kLanes);
  for (int k = 0; k < 2 + kMaxStates; k++) {
    for (size_t i = 0; k != 1 && arrays[k] != nullptr && i < count; i++) {
      arrays[k][at + i] = lanes[k][i];
    }
  }
}

}  // namespace

// The rule of this name, or null.
EXPORT("findRule") const RuleInfo* exportedFindRule(const char* name) { return findRule(name); }

// Turns a struct into scalars, and a record into what it is after the step. Gives the kernel that
// steps with these scalars; null where float32 cannot hold one of them.
EXPORT("prepare")
Kernel exportedPrepare(const RuleInfo* rule, const double* hyperparameters, RecordStorage* record,
                       ScalarStorage* scalars) {
  ScalarMaker f32(powers);
  const Prepared prepared = rule->prepare(hyperparameters, *record, f32, *scalars);
  if (f32.takeFailure()) return nullptr;
  return kWasmTable->rules[rule->index][prepared.variant];
}

// Steps one array and its state, null where there is none; a `sign` of -0 turns that of its
// gradient.
EXPORT("step")
void exportedStep(Kernel kernel, const void* scalars, float sign, float* data, float* grad,
                  float* state0, float* state1, float* state2, float* state3, size_t length) {
  float* const arrays[] = {data, grad, state0, state1, state2, state3};
  const size_t rest = length % kLanes;
  if (length > rest) {
    const Slot slot = slotOf(arrays, 0);
    kernel(scalars, sign, &slot, &slot + 1, 0, length - rest);
  }
  if (rest > 0) stepRest(kernel, scalars, sign, arrays, length - rest, rest);
}

// out[i] = grad[i], multiplied, clamped, multiplied.
EXPORT("treat")
void exportedTreat(float scale, float bound, float coefficient, const float* grad, float* out,
                   size_t count) {
  kWasmTable->treat({scale, bound, coefficient}, grad, out, count);
}

// Reduces at most one block.
EXPORT("reduce")
double exportedReduce(int reduction, const float* x, size_t length, float scale, float bound) {
  GradientFactors factors;
  factors.scale = scale;
  factors.bound = bound;
  return kWasmTable->reduce[reduction](x, length, factors);
}

// out[i] = fma(a[i], b[i], c[i]).
EXPORT("fma")
void exportedFma(const float* a, const float* b, const float* c, float* out, size_t count) {
  kWasmTable->fma(a, b, c, out, count);
}

}  // namespace gradstep
