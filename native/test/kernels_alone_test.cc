// One step of SGD by the kernels alone: what a target without threads and Node-API builds.
#include <stdio.h>

#include "../kernels/dispatch.h"
#include "../kernels/registry.h"

using namespace gradstep;

int main() {
  const RuleInfo* sgd = findRule("sgd");
  if (sgd == nullptr) return 1;
  double options[kMaxFields] = {0.5};  // lr; all others are off
  float data[] = {1, 2, 3}, grad[] = {1, -1, 2};
  Slot slot;
  slot.data = data;
  slot.grad = grad;
  slot.length = 3;
  RecordStorage record;
  PowerMemo powers;
  ScalarMaker f32(powers);
  ScalarStorage scalars;
  const Prepared step = sgd->prepare(options, record, f32, scalars);
  for (const KernelTable* const* table = supportedTables(); *table; ++table) {
    data[0] = 1, data[1] = 2, data[2] = 3;
    (*table)->rules[sgd->index][step.variant](scalars.bytes, step.sign, &slot, &slot + 1, 0, 3);
    printf("%s: %g %g %g\n", (*table)->name, data[0], data[1], data[2]);
    if (data[0] != 0.5f || data[1] != 2.5f || data[2] != 2.0f) return 1;
  }
  return 0;
}
