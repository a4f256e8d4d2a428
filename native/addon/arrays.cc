// The arrays that parameters have now: a step may bring another one for every slot, so that they
// come many at a time.
#include "define.h"

namespace gradstep {
namespace {

// How many slots with their arrays one call takes.
constexpr size_t kMostPairs = 128;

struct Arrays {
  uint32_t slots[kMostPairs];
  FloatSpan spans[kMostPairs];
  bool missing[kMostPairs];
  size_t count = 0;
};

// Whether `value` can be the data, or the gradient, of a slot of this length. Asks for the memory:
// V8 moves a tiny array off its own heap then.
bool readArray(napi_env env, napi_value value, size_t length, FloatSpan* span) {
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &span->length, &data, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float32_array || span->length != length) {
    return false;
  }
  // An empty array may have no address, and null would mean that there is no gradient.
  static float nothing;
  span->data = length == 0 ? &nothing : static_cast<float*>(data);
  return true;
}

bool isNull(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_null;
}

napi_value setAll(napi_env env, Optimizer& optimizer, const napi_value* args, size_t argc) {
  bool isGrad = false;
  napi_get_value_bool(env, args[0], &isGrad);
  Arrays arrays;
  for (size_t at = 1; at + 1 < argc; at += 2) {
    const size_t i = arrays.count++;
    arrays.slots[i] = index(env, args[at], optimizer.slots().size(), "slot");
    const size_t length = optimizer.slots()[arrays.slots[i]].length;
    arrays.missing[i] = false;
    if (readArray(env, args[at + 1], length, &arrays.spans[i])) continue;
    arrays.missing[i] = isGrad && isNull(env, args[at + 1]);
    if (!arrays.missing[i]) return Napi::Number::New(env, static_cast<double>(i));
  }
  for (size_t i = 0; i < arrays.count; i++) {
    if (isGrad)
      optimizer.setGrad(arrays.slots[i], arrays.missing[i] ? nullptr : arrays.spans[i].data);
    else
      optimizer.setData(arrays.slots[i], arrays.spans[i].data);
  }
  return nullptr;
}

// setArrays(handle, isGrad, slot, array, slot, array, …): gives the number of the first array that
// is no Float32Array of its slot's length; nothing has changed then.
napi_value setArrays(napi_env env, napi_callback_info info) {
  napi_value args[2 + 2 * kMostPairs];
  size_t argc = 2 + 2 * kMostPairs;
  if (napi_get_cb_info(env, info, &argc, args, nullptr, nullptr) != napi_ok) return nullptr;
  return guardRaw(env, [&]() -> napi_value {
    Optimizer& optimizer = unwrap(env, args[0]);
    if (argc % 2 == 1 || argc > 2 + 2 * kMostPairs)
      fail(env, "ERR_INTERNAL", "Expected slots with their arrays");
    return setAll(env, optimizer, args + 1, argc - 1);
  });
}

}  // namespace

// Raw, since napi.h would copy so many arguments.
void defineArrays(Napi::Object exports) {
  const napi_env env = exports.Env();
  napi_value function;
  if (napi_create_function(env, "setArrays", NAPI_AUTO_LENGTH, setArrays, nullptr, &function) !=
      napi_ok) {
    fail(env, "ERR_INTERNAL", "Could not make a function");
  }
  exports.Set("setArrays", function);
}

}  // namespace gradstep
