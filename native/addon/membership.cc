// Parameters that join a group, go, or come in the place of others.
#include "define.h"

namespace gradstep {
namespace {

using Napi::CallbackInfo;

// insertSlots(handle, first, group, hyperparameters: Float64Array, records: Float64Array,
//             data: Float32Array[])
napi_value insertSlots(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  const uint32_t first = index(env, info[1], optimizer.slots().size() + 1, "slot");
  const uint32_t group = index(env, info[2], optimizer.groups().size(), "group");
  size_t fields, counters;
  const double* hyperparameters = doubleArray(env, info[3], &fields);
  double* records = doubleArray(env, info[4], &counters);
  const auto arrays = info[5].As<Napi::Array>();
  if (fields < optimizer.rule().fieldCount ||
      counters < arrays.Length() * optimizer.rule().recordSize) {
    fail(env, "ERR_INTERNAL", "Expected room for every hyperparameter and record");
  }
  return result(
      env, optimizer.insertSlots(first, group, hyperparameters, records, floatArrays(env, arrays)));
}

// removeSlots(handle, slots: Float64Array), in increasing order.
napi_value removeSlots(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  size_t count;
  const double* slots = doubleArray(env, info[1], &count);
  std::vector<size_t> gone;
  gone.reserve(count);
  double least = 0;
  for (size_t i = 0; i < count; i++) {
    if (!(slots[i] >= least && slots[i] < static_cast<double>(optimizer.slots().size()))) {
      fail(env, "ERR_INTERNAL", "Expected slots in order");
    }
    gone.push_back(static_cast<size_t>(slots[i]));
    least = static_cast<double>(gone.back() + 1);
  }
  optimizer.removeSlots(gone);
  return nullptr;
}

// replaceSlot(handle, slot, data: Float32Array)
napi_value replaceSlot(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  const uint32_t slot = index(env, info[1], optimizer.slots().size(), "slot");
  return result(env, optimizer.replaceSlot(slot, floatArray(env, info[2])));
}

}  // namespace

void defineMembership(Napi::Object exports) {
  define<insertSlots>(exports, "insertSlots");
  define<removeSlots>(exports, "removeSlots");
  define<replaceSlot>(exports, "replaceSlot");
}

}  // namespace gradstep
