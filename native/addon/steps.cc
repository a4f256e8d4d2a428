// Stepping one optimizer, what its steps do beside the rule, and the threads that share the work.
#include "../core/thread_pool.h"
#include "define.h"
#include "sequence.h"

namespace gradstep {
namespace {

using Napi::CallbackInfo;

// setOptions(handle, options: Float64Array, report: Float64Array): see core/step_options.h.
napi_value setOptions(const CallbackInfo& info) {
  const napi_env env = info.Env();
  size_t options, report;
  const double* given = doubleArray(env, info[1], &options);
  double* reported = doubleArray(env, info[2], &report);
  if (options != sizeof(StepOptions) / sizeof(double) ||
      report != sizeof(StepReport) / sizeof(double)) {
    fail(env, "ERR_INTERNAL", "This addon has other options of a step");
  }
  unwrap(env, info[0])
      .setOptions(reinterpret_cast<const StepOptions*>(given),
                  reinterpret_cast<StepReport*>(reported));
  return nullptr;
}

// The function that stepOf() made, called without arguments.
napi_value boundStep(napi_env env, napi_callback_info info) {
  void* handle = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &handle) != napi_ok) return nullptr;
  return guardRaw(env, [&] { return result(env, liveOptimizer(env, handle).step()); });
}

// stepOf(handle): a function that steps its optimizer. To find the optimizer behind a handle takes
// longer than a small step; the function has it at hand, and keeps the handle.
napi_value stepOf(const CallbackInfo& info) {
  const napi_env env = info.Env();
  unwrap(env, info[0]);
  napi_value function;
  if (napi_create_function(env, "step", NAPI_AUTO_LENGTH, boundStep, wrapped(env, info[0]),
                           &function) != napi_ok ||
      napi_set_named_property(env, function, "handle", info[0]) != napi_ok) {
    fail(env, "ERR_INTERNAL", "Could not make a function");
  }
  return function;
}

napi_value threads(const CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ThreadPool::instance().threads());
}

// setThreads(count)
napi_value setThreads(const CallbackInfo& info) {
  const uint32_t count = index(info.Env(), info[0], ThreadPool::kMaxThreads + 1, "thread");
  if (count == 0) fail(info.Env(), "ERR_INTERNAL", "Expected at least one thread");
  ThreadPool::instance().setThreads(static_cast<int>(count));
  return nullptr;
}

}  // namespace

void defineSteps(Napi::Object exports) {
  ThreadPool::instance().retain();
  BusyMemory::enterEnvironment();
  exports.Env().AddCleanupHook([] {
    BusyMemory::leaveEnvironment();
    ThreadPool::instance().release();
  });
  define<setOptions>(exports, "setOptions");
  define<stepOf>(exports, "stepOf");
  define<sequenceOf>(exports, "sequenceOf");
  define<threads>(exports, "threads");
  define<setThreads>(exports, "setThreads");
}

}  // namespace gradstep
