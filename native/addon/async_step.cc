// A step on a thread of libuv's pool, so that the event loop stays free. It keeps the optimizer
// alive; JavaScript keeps the arrays (lib/stepping/step-async.ts), whose memory is shared and
// stays.
#include <memory>

#include "define.h"

namespace gradstep {
namespace {

using Napi::CallbackInfo;

struct AsyncStep {
  HandleOwner handle;
  napi_async_work work;
  napi_deferred deferred;
  Failure failure;
};

void executeStep(napi_env, void* data) {
  auto& step = *static_cast<AsyncStep*>(data);
  Optimizer& optimizer = *step.handle->optimizer;
  // What cannot be allocated is asked for before the first kernel runs.
  try {
    step.failure = optimizer.check();
    if (!step.failure.kind) optimizer.run();
  } catch (const std::bad_alloc&) {
    step.failure = {Failure::kMemory, -1, -1};
  }
}

// On the environment's thread; where that is ending, nothing of JavaScript can be called any more,
// and the statuses say so.
void completeStep(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<AsyncStep> step(static_cast<AsyncStep*>(data));
  Optimizer& optimizer = *step->handle->optimizer;
  optimizer.releaseMemory();
  optimizer.job = nullptr;
  napi_delete_async_work(env, step->work);
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  if (status == napi_cancelled) {
    napi_get_boolean(env, false, &value);
  } else if (!step->failure.kind) {
    optimizer.commit();
  } else {
    try {
      value = result(env, step->failure);
    } catch (const Napi::Error&) {
      return;  // the environment is ending: nobody waits
    }
  }
  napi_resolve_deferred(env, step->deferred, value);
}

// stepAsync(handle): a failure at once, or a promise of a failure, of undefined or, for a step that
// was cancelled, of false.
napi_value stepAsync(const CallbackInfo& info) {
  const napi_env env = info.Env();
  auto step = std::make_unique<AsyncStep>();
  step->handle = share(env, info[0]);
  Optimizer& optimizer = *step->handle->optimizer;
  Failure failure = optimizer.prepare();
  if (!failure.kind) failure = optimizer.takeMemory();
  if (failure.kind) return result(env, failure);
  napi_value promise, name;
  napi_create_string_utf8(env, "gradstep.stepAsync", NAPI_AUTO_LENGTH, &name);
  if (napi_create_promise(env, &step->deferred, &promise) != napi_ok ||
      napi_create_async_work(env, nullptr, name, executeStep, completeStep, step.get(),
                             &step->work) != napi_ok ||
      napi_queue_async_work(env, step->work) != napi_ok) {
    optimizer.releaseMemory();
    fail(env, "ERR_INTERNAL", "Could not start an asynchronous step");
  }
  optimizer.job = step->work;
  step.release();
  return promise;
}

// cancelStep(handle): a step that no thread has begun does not begin. Whether there was one.
napi_value cancelStep(const CallbackInfo& info) {
  const Optimizer* optimizer = peek(info.Env(), info[0]);
  const bool cancelled =
      optimizer != nullptr && optimizer->job != nullptr &&
      napi_cancel_async_work(info.Env(), static_cast<napi_async_work>(optimizer->job)) == napi_ok;
  return Napi::Boolean::New(info.Env(), cancelled);
}

}  // namespace

void defineAsyncStep(Napi::Object exports) {
  define<stepAsync>(exports, "stepAsync");
  define<cancelStep>(exports, "cancelStep");
}

}  // namespace gradstep
