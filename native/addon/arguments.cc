#include "arguments.h"

namespace gradstep {
namespace {

constexpr napi_type_tag kHandleTag = {0x6772616473746570, 0x6f7074696d697a72};

void* typedArray(napi_env env, napi_value value, napi_typedarray_type expected, const char* name,
                 size_t* length) {
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr) != napi_ok ||
      type != expected) {
    fail(env, "ERR_INTERNAL", std::string("Expected a ") + name);
  }
  return data;
}

Handle& handleOf(napi_env env, napi_value value) {
  napi_valuetype type;
  bool ours = false;
  void* wrapped = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env, value, &kHandleTag, &ours) != napi_ok || !ours ||
      napi_unwrap(env, value, &wrapped) != napi_ok) {
    fail(env, "ERR_INTERNAL", "Expected a handle made by open()");
  }
  return *static_cast<Handle*>(wrapped);
}

}  // namespace

void fail(napi_env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", code);
  throw error;
}

FloatSpan floatArray(napi_env env, napi_value value) {
  FloatSpan span;
  void* data = typedArray(env, value, napi_float32_array, "Float32Array", &span.length);
  span.data = static_cast<float*>(data);
  return span;
}

std::vector<FloatSpan> floatArrays(napi_env env, const Napi::Array& arrays) {
  const uint32_t count = arrays.Length();
  std::vector<FloatSpan> spans;
  spans.reserve(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    if (napi_get_element(env, arrays, i, &element) != napi_ok) {
      fail(env, "ERR_INTERNAL", "Expected a list of Float32Arrays");
    }
    spans.push_back(floatArray(env, element));
  }
  return spans;
}

double* doubleArray(napi_env env, napi_value value, size_t* length) {
  return static_cast<double*>(typedArray(env, value, napi_float64_array, "Float64Array", length));
}

void byteArray(napi_env env, napi_value value, const void** begin, size_t* bytes) {
  *begin = typedArray(env, value, napi_uint8_array, "Uint8Array", bytes);
}

napi_value wrap(napi_env env, Optimizer* optimizer) {
  auto* handle = new Handle{std::unique_ptr<Optimizer>(optimizer)};
  const auto finalize = [](napi_env, void* data, void*) { LetGo()(static_cast<Handle*>(data)); };
  Napi::Object object = Napi::Object::New(env);
  if (napi_wrap(env, object, handle, finalize, nullptr, nullptr) != napi_ok) {
    delete handle;
    fail(env, "ERR_INTERNAL", "Could not make a handle");
  }
  if (napi_type_tag_object(env, object, &kHandleTag) != napi_ok) {
    fail(env, "ERR_INTERNAL", "Could not make a handle");
  }
  return object;
}

void* wrapped(napi_env env, napi_value value) { return &handleOf(env, value); }

Optimizer& liveOptimizer(napi_env env, void* wrapped) {
  const auto& optimizer = static_cast<Handle*>(wrapped)->optimizer;
  if (optimizer == nullptr) fail(env, "ERR_DISPOSED", "This optimizer has been disposed");
  if (optimizer->isBusy()) fail(env, "ERR_BUSY", "An asynchronous step is under way");
  return *optimizer;
}

HandleOwner share(napi_env env, napi_value value) {
  Handle& handle = handleOf(env, value);
  liveOptimizer(env, &handle);
  handle.owners++;
  return HandleOwner(&handle);
}

Optimizer& unwrap(napi_env env, napi_value value) {
  return liveOptimizer(env, &handleOf(env, value));
}

void dispose(napi_env env, napi_value value) {
  Handle& handle = handleOf(env, value);
  if (handle.optimizer != nullptr) liveOptimizer(env, &handle);  // not while it is busy
  handle.optimizer.reset();
}

uint32_t index(napi_env env, napi_value value, size_t limit, const char* name) {
  uint32_t number = 0;
  if (napi_get_value_uint32(env, value, &number) != napi_ok || number >= limit) {
    fail(env, "ERR_INTERNAL", std::string("Expected the number of a ") + name);
  }
  return number;
}

napi_value result(napi_env env, const Failure& failure) {
  if (failure.kind == Failure::kNone) return nullptr;
  static const char* const kKinds[] = {"none",         "dataOverlap", "gradOverlap", "overflow",
                                       "missingState", "badCount",    "nonFinite",   "busy",
                                       "memory",       "skips"};
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", kKinds[failure.kind]);
  object.Set("slot", static_cast<double>(failure.slot));
  object.Set("other", static_cast<double>(failure.other));
  return object;
}

}  // namespace gradstep
