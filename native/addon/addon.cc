// The functions that lib/backend/native.ts calls. Each reads its arguments, asks the core, and
// returns; raw pointers live in the core only as long as JavaScript proves them before each step.
#include <atomic>

#include "../core/active_table.h"
#include "../kernels/dispatch.h"
#include "define.h"

namespace gradstep {
namespace {

using Napi::CallbackInfo;

bool sameNames(const Napi::Value& list, size_t count, const char* const* names) {
  const auto given = list.As<Napi::Array>();
  bool same = given.Length() == count;
  for (uint32_t i = 0; same && i < count; i++) {
    same = given.Get(i).As<Napi::String>().Utf8Value() == names[i];
  }
  return same;
}

// open(rule, fields, record): the hyperparameters and the record as TypeScript will lay them out,
// so that an addon built from other sources is refused here, not wrong later.
napi_value open(const CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const RuleInfo* rule = findRule(name.c_str());
  if (rule == nullptr) fail(info.Env(), "ERR_INTERNAL", "This addon has no rule '" + name + "'");
  const char* fields[kMaxFields];
  for (size_t i = 0; i < rule->fieldCount; i++) fields[i] = rule->fieldName(i);
  if (!sameNames(info[1], rule->fieldCount, fields) ||
      !sameNames(info[2], rule->recordSize, rule->recordNames)) {
    fail(info.Env(), "ERR_INTERNAL", "This addon has other hyperparameters for " + name);
  }
  return wrap(info.Env(), new Optimizer(*rule));
}

// addGroup(handle, hyperparameters: Float64Array, records: Float64Array, data: Float32Array[])
napi_value addGroup(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  size_t fields, counters;
  const double* hyperparameters = doubleArray(env, info[1], &fields);
  double* records = doubleArray(env, info[2], &counters);
  const auto arrays = info[3].As<Napi::Array>();
  if (fields < optimizer.rule().fieldCount ||
      counters < arrays.Length() * optimizer.rule().recordSize) {
    fail(env, "ERR_INTERNAL", "Expected room for every hyperparameter and record");
  }
  return result(env, optimizer.addGroup(hyperparameters, records, floatArrays(env, arrays)));
}

// findOverlap(handle, data: Float32Array[])
napi_value findOverlap(const CallbackInfo& info) {
  Optimizer& optimizer = unwrap(info.Env(), info[0]);
  const auto arrays = info[1].As<Napi::Array>();
  return result(info.Env(), optimizer.findOverlap(floatArrays(info.Env(), arrays)));
}

// releaseData(handle, slot)
napi_value releaseData(const CallbackInfo& info) {
  Optimizer& optimizer = unwrap(info.Env(), info[0]);
  optimizer.releaseData(index(info.Env(), info[1], optimizer.slots().size(), "slot"));
  return nullptr;
}

// ownLines(handle, first, end): slots.
napi_value ownLines(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  const uint32_t first = index(env, info[1], optimizer.slots().size(), "slot");
  const uint32_t end = index(env, info[2], optimizer.slots().size() + 1, "slot");
  for (uint32_t slot = first; slot < end; slot++) optimizer.ownLines(slot);
  return nullptr;
}

// setPieces(handle, slot, pieces: Float64Array): pairs of where each begins and ends.
napi_value setPieces(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  const uint32_t slot = index(env, info[1], optimizer.slots().size(), "slot");
  size_t count;
  const double* places = doubleArray(env, info[2], &count);
  const auto length = static_cast<double>(optimizer.slots()[slot].length);
  std::vector<Piece> pieces;
  double end = 0;
  for (size_t i = 0; i + 1 < count; i += 2) {
    const bool isInside = places[i] >= end && places[i + 1] >= places[i];
    if (!isInside || !(places[i + 1] <= length))
      fail(env, "ERR_INTERNAL", "Expected pieces in order");
    end = places[i + 1];
    pieces.push_back({static_cast<size_t>(places[i]), static_cast<size_t>(end)});
  }
  optimizer.setPieces(slot, std::move(pieces));
  return nullptr;
}

// setShape(handle, slot, rows, columns)
napi_value setShape(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  const uint32_t slot = index(env, info[1], optimizer.slots().size(), "slot");
  const size_t length = optimizer.slots()[slot].length;
  const auto rows = static_cast<size_t>(info[2].As<Napi::Number>().Int64Value());
  const auto columns = static_cast<size_t>(info[3].As<Napi::Number>().Int64Value());
  const bool fits = rows > 0 && columns > 0 && columns <= length && length % columns == 0 &&
                    length / columns % rows == 0;
  if (!fits) fail(env, "ERR_INTERNAL", "Expected the dimensions of matrices that make up the data");
  optimizer.setShape(slot, rows, columns);
  return nullptr;
}

// setSlot(handle, slot, hyperparameters: Float64Array, record: Float64Array)
napi_value setSlot(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  const uint32_t slot = index(env, info[1], optimizer.slots().size(), "slot");
  size_t fields, counters;
  const double* hyperparameters = doubleArray(env, info[2], &fields);
  double* record = doubleArray(env, info[3], &counters);
  if (fields < optimizer.rule().fieldCount || counters < optimizer.rule().recordSize) {
    fail(env, "ERR_INTERNAL", "Expected room for every hyperparameter and the record");
  }
  optimizer.setSlot(slot, hyperparameters, record);
  return nullptr;
}

// setStates(handle, which, memory: Float32Array, places: Float64Array, count): pairs of a slot and
// where its array begins in `memory`.
napi_value setStates(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  const auto& slots = optimizer.slots();
  const uint32_t which = index(env, info[1], kMaxStates, "state");
  const FloatSpan memory = floatArray(env, info[2]);
  size_t numbers;
  const double* places = doubleArray(env, info[3], &numbers);
  const uint32_t count = index(env, info[4], numbers / 2 + 1, "place");
  const auto fits = [&](double slot, double begin) {
    if (!(slot >= 0 && slot < static_cast<double>(slots.size()) && begin >= 0)) return false;
    const Slot& owner = slots[static_cast<size_t>(slot)];
    const auto length = static_cast<double>(optimizer.rule().stateLength(owner.shape(), which));
    return begin + length <= static_cast<double>(memory.length);
  };
  for (uint32_t i = 0; i < count; i++) {
    if (fits(places[2 * i], places[2 * i + 1])) continue;
    fail(env, "ERR_INTERNAL", "Expected a slot, and a place in memory for its state");
  }
  for (uint32_t i = 0; i < count; i++) {
    const auto slot = static_cast<size_t>(places[2 * i]);
    const auto begin = static_cast<size_t>(places[2 * i + 1]);
    optimizer.setState(slot, static_cast<int>(which), memory.data + begin);
  }
  return nullptr;
}

// setGrad(handle, slot, array or null, ownsLine)
napi_value setGrad(const CallbackInfo& info) {
  const napi_env env = info.Env();
  Optimizer& optimizer = unwrap(env, info[0]);
  const uint32_t slot = index(env, info[1], optimizer.slots().size(), "slot");
  if (info[2].IsNull()) {
    optimizer.setGrad(slot, nullptr);
    return nullptr;
  }
  FloatSpan span = floatArray(env, info[2]);
  if (span.length != optimizer.slots()[slot].length) {
    fail(env, "ERR_INTERNAL", "Expected a gradient of the parameter's length");
  }
  // An empty array may have no address, and null would mean that there is no gradient.
  static float nothing;
  optimizer.setGrad(slot, span.length == 0 ? &nothing : span.data, info[3].ToBoolean());
  return nullptr;
}

// verifyMemory(handle, writing)
napi_value verifyMemory(const CallbackInfo& info) {
  Optimizer& optimizer = unwrap(info.Env(), info[0]);
  Failure failure = optimizer.verifyMemory();
  if (!failure.kind && info[1].ToBoolean()) failure = optimizer.verifyIdle();
  return result(info.Env(), failure);
}

napi_value disposeHandle(const CallbackInfo& info) {
  dispose(info.Env(), info[0]);
  return nullptr;
}

napi_value isas(const CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const KernelTable* const* table = supportedTables(); *table; ++table) {
    names.Set(names.Length(), (*table)->name);
  }
  return names;
}

napi_value isa(const CallbackInfo& info) {
  return Napi::String::New(info.Env(), activeTable().name);
}

// setIsa(name): whether this processor can run it.
napi_value setIsa(const CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  return Napi::Boolean::New(info.Env(), forceTable(name.c_str()));
}

// --- For tests: the two operations that all bits rest on, and the struct as C++ reads it. ---

// claimWarning(flag): whether it was set for the first time in this process, by whichever thread.
napi_value claimWarning(const CallbackInfo& info) {
  static std::atomic<uint32_t> given{0};
  const uint32_t flag = 1u << index(info.Env(), info[0], 32, "flag");
  return Napi::Boolean::New(info.Env(), (given.fetch_or(flag) & flag) == 0);
}

// debugFma(a, b, c, out): Float32Arrays of one length.
napi_value debugFma(const CallbackInfo& info) {
  FloatSpan arrays[4];
  for (size_t i = 0; i < 4; i++) {
    arrays[i] = floatArray(info.Env(), info[i]);
    if (arrays[i].length != arrays[0].length) fail(info.Env(), "ERR_INTERNAL", "Lengths differ");
  }
  activeTable().fma(arrays[0].data, arrays[1].data, arrays[2].data, arrays[3].data,
                    arrays[0].length);
  return nullptr;
}

napi_value debugPower(const CallbackInfo& info) {
  const double base = info[0].As<Napi::Number>(), exponent = info[1].As<Napi::Number>();
  return Napi::Number::New(info.Env(), power(base, exponent));
}

// debugSpans(handle): over how many spans the last step ran.
napi_value debugSpans(const CallbackInfo& info) {
  const auto count = static_cast<double>(unwrap(info.Env(), info[0]).spanCount());
  return Napi::Number::New(info.Env(), count);
}

// debugHyperparameters(handle, group): { name: value }, through the members of the C++ struct.
napi_value debugHyperparameters(const CallbackInfo& info) {
  const Optimizer& optimizer = unwrap(info.Env(), info[0]);
  const uint32_t group = index(info.Env(), info[1], optimizer.groups().size(), "group");
  const RuleInfo& rule = optimizer.rule();
  Napi::Object object = Napi::Object::New(info.Env());
  for (size_t i = 0; i < rule.fieldCount; i++) {
    object.Set(rule.fieldName(i), rule.field(optimizer.groups()[group], i));
  }
  return object;
}

Napi::Object init(Napi::Env, Napi::Object exports) {
  define<open>(exports, "open");
  define<addGroup>(exports, "addGroup");
  define<findOverlap>(exports, "findOverlap");
  define<releaseData>(exports, "releaseData");
  define<verifyMemory>(exports, "verifyMemory");
  define<ownLines>(exports, "ownLines");
  define<setPieces>(exports, "setPieces");
  define<setShape>(exports, "setShape");
  define<setSlot>(exports, "setSlot");
  define<setStates>(exports, "setStates");
  define<setGrad>(exports, "setGrad");
  define<disposeHandle>(exports, "dispose");
  define<isas>(exports, "isas");
  define<isa>(exports, "isa");
  define<setIsa>(exports, "setIsa");
  define<claimWarning>(exports, "claimWarning");
  define<debugFma>(exports, "debugFma");
  define<debugPower>(exports, "debugPower");
  define<debugSpans>(exports, "debugSpans");
  define<debugHyperparameters>(exports, "debugHyperparameters");
  defineArrays(exports);
  defineMemory(exports);
  defineMembership(exports);
  defineGradients(exports);
  defineSteps(exports);
  defineBusyMemory(exports);
  return exports;
}

}  // namespace
}  // namespace gradstep

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  return gradstep::init(env, exports);
}

NODE_API_MODULE(gradstep, initialize)
