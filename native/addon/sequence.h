// Steps of several optimizers and averages as one, on this thread or in the background.
#pragma once

#include <napi.h>

namespace gradstep {

// sequenceOf(handles, follows): a function that steps what is behind the handles as one; `follows`
// as StepSequence has it. Its argument says what to do: lib/backend/native.ts, SEQUENCE.
napi_value sequenceOf(const Napi::CallbackInfo& info);

}  // namespace gradstep
