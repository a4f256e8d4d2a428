// JavaScript values to what the core understands, checked as far as memory safety needs it;
// lib/backend/native.ts is the only caller and has already said what is wrong in sentences.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "../core/optimizer.h"

namespace gradstep {

// Throws an Error with this `code`.
[[noreturn]] void fail(napi_env env, const char* code, const std::string& message);

// The typed array's memory by its internal slots. Raw calls: napi.h asks for the buffer too,
// which Node 20 refuses for shared memory, and costs twice as much.
FloatSpan floatArray(napi_env env, napi_value value);
std::vector<FloatSpan> floatArrays(napi_env env, const Napi::Array& arrays);
double* doubleArray(napi_env env, napi_value value, size_t* length);
void byteArray(napi_env env, napi_value value, const void** begin, size_t* bytes);

// What the JavaScript object of an optimizer wraps: outlives it, so that a late call finds nothing,
// not rubbish. The object and a step under way own it together; both live on one thread, and are
// counted by hand because std::shared_ptr asks for a younger glibc than Node.js does.
struct Handle {
  std::unique_ptr<Optimizer> optimizer;
  int owners = 1;
};
struct LetGo {
  void operator()(Handle* handle) const {
    if (--handle->owners == 0) delete handle;
  }
};
using HandleOwner = std::unique_ptr<Handle, LetGo>;

// An optimizer behind a JavaScript object that only this addon can have made.
napi_value wrap(napi_env env, Optimizer* optimizer);
// Refused while an asynchronous step is under way.
Optimizer& unwrap(napi_env env, napi_value handle);
// What a handle wraps, and the optimizer in it, as unwrap() finds it.
void* wrapped(napi_env env, napi_value handle);
Optimizer& liveOptimizer(napi_env env, void* wrapped);
// For those that may outlive the object; refused as by unwrap().
HandleOwner share(napi_env env, napi_value handle);
// Frees the optimizer now; its handle is refused from here on.
void dispose(napi_env env, napi_value handle);

uint32_t index(napi_env env, napi_value value, size_t limit, const char* name);

// Undefined for success, else { kind, slot, other }.
napi_value result(napi_env env, const Failure& failure);

}  // namespace gradstep
