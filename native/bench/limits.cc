// The addon that the benchmark measures against (bench/limits.ts). It is built by CMake alone and
// never shipped.
#include <napi.h>

#include <algorithm>
#include <string>
#include <vector>

#include "burst.h"
#include "limit_loops.h"

namespace gradstep {
namespace {

constexpr int kMaxThreads = 64;
constexpr size_t kFloatsPerLine = 16;

struct Burst {
  const LimitLoops* loops;
  int threads;
  int steps;
};

[[noreturn]] void refuse(Napi::Env env, const char* message) {
  throw Napi::TypeError::New(env, message);
}

// The first three arguments of both functions: isa, threads, steps.
Burst burstOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString() || !info[1].IsNumber() || !info[2].IsNumber()) {
    refuse(env, "Expected isa, threads, steps, …");
  }
  const std::string isa = info[0].As<Napi::String>();
  const Burst burst{findLimitLoops(isa.c_str()), info[1].As<Napi::Number>(),
                    info[2].As<Napi::Number>()};
  if (!burst.loops) refuse(env, "This processor has no such instructions");
  if (burst.threads < 1 || burst.threads > kMaxThreads || burst.steps < 1) {
    refuse(env, "Expected 1 to 64 threads and at least one step");
  }
  return burst;
}

// Pointer and length as Node-API gives them: asking for the buffer fails on shared memory.
float* floatsOf(Napi::Env env, napi_value value, size_t* length) {
  napi_typedarray_type type;
  void* data;
  const napi_status status =
      napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_float32_array) refuse(env, "Expected Float32Arrays");
  return static_cast<float*>(data);
}

// Where part `part` of `threads` begins: contiguous parts, cut at cache lines.
size_t cut(size_t length, int part, int threads) {
  const size_t lines = (length + kFloatsPerLine - 1) / kFloatsPerLine;
  return std::min(length, lines * static_cast<size_t>(part) / threads * kFloatsPerLine);
}

// stream(isa, threads, steps, [data, grad, state, …], mask) → nanoseconds
Napi::Value stream(const Napi::CallbackInfo& info) {
  const Burst burst = burstOf(info);
  if (!info[3].IsArray()) refuse(info.Env(), "Expected an array of Float32Arrays");
  const auto list = info[3].As<Napi::Array>();
  const auto count = static_cast<int>(list.Length());
  if (count != 3 && count != 4) refuse(info.Env(), "Expected data, grad and 1 or 2 states");
  float* arrays[4];
  size_t length = 0;
  for (int k = 0; k < count; k++) {
    size_t own;
    arrays[k] = floatsOf(info.Env(), list.Get(static_cast<uint32_t>(k)), &own);
    if (k > 0 && own != length) refuse(info.Env(), "Expected arrays of one length");
    length = own;
  }
  const uint32_t mask = info[4].IsNumber() ? info[4].As<Napi::Number>().Uint32Value() : 0;
  const double time = timeBurst(burst.threads, burst.steps, [&](int part) {
    burst.loops->stream(arrays, count, cut(length, part, burst.threads),
                        cut(length, part + 1, burst.threads), mask);
  });
  return Napi::Number::New(info.Env(), time);
}

// divide(isa, threads, steps, values) → [nanoseconds, the sum of all results of a step]
Napi::Value divide(const Napi::CallbackInfo& info) {
  const Burst burst = burstOf(info);
  if (!info[3].IsNumber()) refuse(info.Env(), "Expected how many values");
  const auto length = static_cast<size_t>(info[3].As<Napi::Number>().Int64Value());
  struct alignas(64) Sum {
    double value = 0;
  };
  std::vector<Sum> sums(static_cast<size_t>(burst.threads));
  const double time = timeBurst(burst.threads, burst.steps, [&](int part) {
    const size_t from = cut(length, part, burst.threads);
    sums[static_cast<size_t>(part)].value =
        burst.loops->divide(cut(length, part + 1, burst.threads) - from);
  });
  double sum = 0;
  for (const Sum& part : sums) sum += part.value;
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, time);
  result.Set(1u, sum);
  return result;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("stream", Napi::Function::New(env, stream, "stream"));
  exports.Set("divide", Napi::Function::New(env, divide, "divide"));
  return exports;
}

}  // namespace
}  // namespace gradstep

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  return gradstep::initialize(env, exports);
}

NODE_API_MODULE(limits, initialize)
