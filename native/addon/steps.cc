// Stepping: one optimizer or many in one call, and the threads that share the work.
#include <memory>
#include <vector>

#include "../core/thread_pool.h"
#include "define.h"

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

// follow(handle, average: handle or null)
napi_value follow(const CallbackInfo& info) {
  Optimizer& optimizer = unwrap(info.Env(), info[0]);
  Optimizer* average = info[1].IsNull() ? nullptr : &unwrap(info.Env(), info[1]);
  if (average == &optimizer) fail(info.Env(), "ERR_INTERNAL", "Expected another handle");
  optimizer.follow(average);
  return nullptr;
}

// What the handles of a list wrap.
struct Batch {
  std::vector<void*> handles;
  Sharing sharing;
};

napi_value boundStepAll(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  return guardRaw(env, [&]() -> napi_value {
    auto& batch = *static_cast<Batch*>(data);
    std::vector<Optimizer*> optimizers;
    optimizers.reserve(batch.handles.size());
    for (void* handle : batch.handles) optimizers.push_back(&liveOptimizer(env, handle));
    size_t failed = 0;
    const Failure failure =
        stepOptimizers(optimizers.data(), optimizers.size(), &failed, &batch.sharing);
    const napi_value object = result(env, failure);
    if (object != nullptr) Napi::Object(env, object).Set("core", static_cast<double>(failed));
    return object;
  });
}

// stepAllOf(handles): likewise a function, that steps all as one. The failure of any, with its
// place in the list as `core`, changes nothing.
napi_value stepAllOf(const CallbackInfo& info) {
  const napi_env env = info.Env();
  const auto handles = info[0].As<Napi::Array>();
  auto batch = std::make_unique<Batch>();
  Napi::Array kept = Napi::Array::New(env);
  for (uint32_t i = 0; i < handles.Length(); i++) {
    const napi_value handle = handles.Get(i);
    unwrap(env, handle);
    batch->handles.push_back(wrapped(env, handle));
    kept.Set(i, handle);
  }
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Batch*>(data); };
  napi_value function;
  if (napi_create_function(env, "stepAll", NAPI_AUTO_LENGTH, boundStepAll, batch.get(),
                           &function) != napi_ok ||
      napi_set_named_property(env, function, "handles", kept) != napi_ok ||
      napi_add_finalizer(env, function, batch.get(), finalize, nullptr, nullptr) != napi_ok) {
    fail(env, "ERR_INTERNAL", "Could not make a function");
  }
  batch.release();
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
  exports.Env().AddCleanupHook([] { ThreadPool::instance().release(); });
  define<setOptions>(exports, "setOptions");
  define<stepOf>(exports, "stepOf");
  define<follow>(exports, "follow");
  define<stepAllOf>(exports, "stepAllOf");
  define<threads>(exports, "threads");
  define<setThreads>(exports, "setThreads");
}

}  // namespace gradstep
