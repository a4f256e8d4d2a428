// How functions of the addon become JavaScript's.
#pragma once

#include <new>

#include "arguments.h"

namespace gradstep {

// Turns what the standard library throws into an error with a code, at the last moment.
template <napi_value (*function)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    const napi_value value = function(info);
    return value ? Napi::Value(info.Env(), value) : info.Env().Undefined();
  } catch (const std::bad_alloc&) {
    fail(info.Env(), "ERR_OUT_OF_MEMORY", "The native core could not allocate memory");
  }
}

// The same for a function that Node-API calls without napi.h in between.
template <class Call>
napi_value guardRaw(napi_env env, Call call) {
  try {
    return call();
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", "The native core could not allocate memory");
  }
  return nullptr;
}

template <napi_value (*function)(const Napi::CallbackInfo&)>
void define(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<guarded<function>>(exports.Env(), name));
}

// The function of arrays.cc.
void defineArrays(Napi::Object exports);
// The functions of memory.cc.
void defineMemory(Napi::Object exports);
// The functions of membership.cc.
void defineMembership(Napi::Object exports);
// The functions of gradients.cc.
void defineGradients(Napi::Object exports);
// The functions of busy.cc.
void defineBusyMemory(Napi::Object exports);
// The functions of steps.cc.
void defineSteps(Napi::Object exports);

}  // namespace gradstep
