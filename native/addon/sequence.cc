#include "sequence.h"

#include <memory>
#include <utility>
#include <vector>

#include "../core/step_sequence.h"
#include "define.h"

namespace gradstep {
namespace {

using Napi::CallbackInfo;

// In the order of SEQUENCE in lib/backend/native.ts. A whole step; or prepare, then run or cancel;
// or a whole step in the background, which cancelBackground ends if no thread has begun it.
// kParts, for tests: how many members ran by themselves in the last step, not in another's pass.
enum Action { kStep, kPrepare, kRun, kCancel, kBackground, kCancelBackground, kParts, kActions };

// What the function has at hand. It and a step in the background own it together; both live on one
// thread. JavaScript keeps every array of its members: lib/stepping/step-plan.ts.
struct Sequence {
  explicit Sequence(std::vector<size_t> follows) : steps(std::move(follows)) {}

  std::vector<HandleOwner> handles;
  std::vector<Optimizer*> optimizers;  // of the step under way
  StepSequence steps;
  napi_async_work job = nullptr;
  int owners = 1;
};

void letGo(Sequence* sequence) {
  if (--sequence->owners == 0) delete sequence;
}

// Whatever is thrown, memory that a step has taken is given back.
class Releaser {
 public:
  explicit Releaser(StepSequence* steps) : steps_(steps) {}
  ~Releaser() {
    if (steps_ != nullptr) steps_->release();
  }
  void keep() { steps_ = nullptr; }

 private:
  StepSequence* steps_;
};

napi_value resultOf(napi_env env, const StepSequence& steps, const Failure& failure) {
  const napi_value object = result(env, failure);
  if (object != nullptr) Napi::Object(env, object).Set("core", static_cast<double>(steps.failed()));
  return object;
}

Failure prepare(napi_env env, Sequence& sequence, BusyMemory::Where where) {
  sequence.optimizers.clear();
  for (const HandleOwner& handle : sequence.handles) {
    sequence.optimizers.push_back(&liveOptimizer(env, handle.get()));
  }
  return sequence.steps.prepare(sequence.optimizers, where);
}

napi_value stepNow(napi_env env, Sequence& sequence, bool runs) {
  StepSequence& steps = sequence.steps;
  Releaser releaser(&steps);
  Failure failure = prepare(env, sequence, BusyMemory::kHere);
  if (!failure.kind) failure = steps.check();
  if (failure.kind) return resultOf(env, steps, failure);
  if (runs) {
    steps.run(true);
    steps.commit();
  } else {
    releaser.keep();
  }
  return nullptr;
}

// What was prepared, unless somebody is not there any more.
void runPrepared(napi_env env, Sequence& sequence) {
  const Releaser releaser(&sequence.steps);
  for (const HandleOwner& handle : sequence.handles) liveOptimizer(env, handle.get());
  sequence.steps.run(false);
  sequence.steps.commit();
}

// --- In the background. ---

struct BackgroundStep {
  Sequence* sequence;
  napi_async_work work;
  napi_deferred deferred;
  Failure failure;
};

void setBusy(const Sequence& sequence, bool busy) {
  for (Optimizer* optimizer : sequence.optimizers) optimizer->setBusy(busy);
}

// On libuv's pool.
void executeStep(napi_env, void* data) {
  auto& step = *static_cast<BackgroundStep*>(data);
  // What cannot be allocated is asked for before the first kernel runs.
  try {
    step.failure = step.sequence->steps.check();
    if (!step.failure.kind) step.sequence->steps.run(true);
  } catch (const std::bad_alloc&) {
    step.failure = {Failure::kMemory, -1, -1};
  }
}

// On the environment's thread; where that is ending, nothing of JavaScript can be called any more,
// and the statuses say so.
void completeStep(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<BackgroundStep> step(static_cast<BackgroundStep*>(data));
  Sequence& sequence = *step->sequence;
  sequence.steps.release();
  setBusy(sequence, false);
  sequence.job = nullptr;
  napi_delete_async_work(env, step->work);
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  if (status == napi_cancelled) {
    napi_get_boolean(env, false, &value);
  } else if (!step->failure.kind) {
    sequence.steps.commit();
  } else {
    try {
      value = resultOf(env, sequence.steps, step->failure);
    } catch (const Napi::Error&) {
      value = nullptr;  // the environment is ending: nobody waits
    }
  }
  letGo(&sequence);
  if (value != nullptr) napi_resolve_deferred(env, step->deferred, value);
}

// A failure at once, or a promise of a failure, of undefined or, for a step that was cancelled, of
// false.
napi_value stepInBackground(napi_env env, Sequence& sequence) {
  Releaser releaser(&sequence.steps);
  auto step = std::make_unique<BackgroundStep>();
  step->sequence = &sequence;
  const Failure failure = prepare(env, sequence, BusyMemory::kBackground);
  if (failure.kind) return resultOf(env, sequence.steps, failure);
  napi_value promise, name;
  napi_create_string_utf8(env, "gradstep.stepAsync", NAPI_AUTO_LENGTH, &name);
  if (napi_create_promise(env, &step->deferred, &promise) != napi_ok ||
      napi_create_async_work(env, nullptr, name, executeStep, completeStep, step.get(),
                             &step->work) != napi_ok ||
      napi_queue_async_work(env, step->work) != napi_ok) {
    fail(env, "ERR_INTERNAL", "Could not start an asynchronous step");
  }
  releaser.keep();
  setBusy(sequence, true);
  sequence.job = step->work;
  sequence.owners++;
  step.release();
  return promise;
}

// --- The function. ---

napi_value act(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  size_t count = 1;
  napi_value argument;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, &data) != napi_ok) return nullptr;
  return guardRaw(env, [&]() -> napi_value {
    auto& sequence = *static_cast<Sequence*>(data);
    const uint32_t action = index(env, argument, kActions, "known action");
    if (sequence.job != nullptr && action != kCancelBackground) {
      fail(env, "ERR_BUSY", "An asynchronous step is under way");
    }
    switch (action) {
      case kStep:
        return stepNow(env, sequence, true);
      case kPrepare:
        return stepNow(env, sequence, false);
      case kRun:
        runPrepared(env, sequence);
        return nullptr;
      case kCancel:
        sequence.steps.release();
        return nullptr;
      case kBackground:
        return stepInBackground(env, sequence);
      case kParts:
        return Napi::Number::New(env, static_cast<double>(sequence.steps.partCount()));
      default:
        if (sequence.job != nullptr) napi_cancel_async_work(env, sequence.job);
        return nullptr;
    }
  });
}

std::vector<size_t> readFollows(const CallbackInfo& info, uint32_t count) {
  const auto list = info[1].As<Napi::Array>();
  if (list.Length() != count) fail(info.Env(), "ERR_INTERNAL", "Expected a number for each handle");
  std::vector<size_t> follows;
  for (uint32_t i = 0; i < count; i++) {
    const napi_value number = list.Get(i);
    follows.push_back(index(info.Env(), number, i + 1, "followed member"));
  }
  return follows;
}

}  // namespace

napi_value sequenceOf(const CallbackInfo& info) {
  const napi_env env = info.Env();
  const auto handles = info[0].As<Napi::Array>();
  auto sequence = std::make_unique<Sequence>(readFollows(info, handles.Length()));
  for (uint32_t i = 0; i < handles.Length(); i++) {
    const napi_value handle = handles.Get(i);
    sequence->handles.push_back(share(env, handle));
  }
  const auto finalize = [](napi_env, void* data, void*) { letGo(static_cast<Sequence*>(data)); };
  napi_value function;
  if (napi_create_function(env, "sequence", NAPI_AUTO_LENGTH, act, sequence.get(), &function) !=
          napi_ok ||
      napi_add_finalizer(env, function, sequence.get(), finalize, nullptr, nullptr) != napi_ok) {
    fail(env, "ERR_INTERNAL", "Could not make a function");
  }
  sequence.release();
  return function;
}

}  // namespace gradstep
