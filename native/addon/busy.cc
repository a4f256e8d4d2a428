// The register of busy memory for those who work on arrays in JavaScript: the portable backend,
// users' own updates, averages that are swapped in.
#include <memory>

#include "../core/busy_memory.h"
#include "define.h"

namespace gradstep {
namespace {

using Napi::CallbackInfo;

// The first `written` of the arrays are written, the others only read.
Footprint footprintOf(const CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::vector<FloatSpan> spans = floatArrays(env, info[0].As<Napi::Array>());
  const uint32_t written =
      index(env, info[1], static_cast<uint32_t>(spans.size()) + 1, "written array");
  Footprint footprint;
  for (size_t i = 0; i < spans.size(); i++) {
    footprint.add(spans[i].data, spans[i].length * sizeof(float), i < written);
  }
  footprint.sort();
  return footprint;
}

struct Hold {
  Footprint footprint;
  BusyMemoryTaker taker;
};

// findBusy(arrays, written): the place of the first that an asynchronous step has, or -1.
napi_value findBusy(const CallbackInfo& info) {
  if (BusyMemory::idle()) return Napi::Number::New(info.Env(), -1);
  const size_t found = BusyMemory::conflict(footprintOf(info));
  const double place = found == BusyMemory::kFree ? -1 : static_cast<double>(found);
  return Napi::Number::New(info.Env(), place);
}

// isWatched(): whether a step may begin in the background while one on this thread runs, or has.
napi_value isWatched(const CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), BusyMemory::isWatched(0));
}

// takeBusy(arrays, written): what to give back with releaseBusy, or the place of the first array
// that an asynchronous step has. Given back by itself when nothing holds it any more, as when a
// thread is ended in the middle of an update.
napi_value takeBusy(const CallbackInfo& info) {
  auto hold = std::make_unique<Hold>();
  hold->footprint = footprintOf(info);
  const size_t found = hold->taker.take(hold->footprint, BusyMemory::kHere);
  if (found != BusyMemory::kFree) {
    return Napi::Number::New(info.Env(), static_cast<double>(found));
  }
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Hold*>(data); };
  napi_value external;
  if (napi_create_external(info.Env(), hold.get(), finalize, nullptr, &external) != napi_ok) {
    fail(info.Env(), "ERR_INTERNAL", "Could not take memory");
  }
  hold.release();
  return external;
}

napi_value releaseBusy(const CallbackInfo& info) {
  void* hold = nullptr;
  if (napi_get_value_external(info.Env(), info[0], &hold) != napi_ok) {
    fail(info.Env(), "ERR_INTERNAL", "Expected what takeBusy() gave");
  }
  static_cast<Hold*>(hold)->taker.release();
  return nullptr;
}

}  // namespace

void defineBusyMemory(Napi::Object exports) {
  define<isWatched>(exports, "isWatched");
  define<findBusy>(exports, "findBusy");
  define<takeBusy>(exports, "takeBusy");
  define<releaseBusy>(exports, "releaseBusy");
}

}  // namespace gradstep
