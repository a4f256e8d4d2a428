// The functions behind lib/gradients: norms of gradients, clipping and scaling in place. They
// keep nothing: every array is looked up anew in each call.
#include "../core/norm.h"

#include <algorithm>
#include <vector>

#include "../core/active_table.h"
#include "define.h"

namespace gradstep {
namespace {

using Napi::CallbackInfo;

double number(const CallbackInfo& info, size_t at) {
  double value;
  if (napi_get_value_double(info.Env(), info[at], &value) != napi_ok) {
    fail(info.Env(), "ERR_INTERNAL", "Expected a number");
  }
  return value;
}

std::vector<FloatSpan> arrays(const CallbackInfo& info) {
  return floatArrays(info.Env(), info[0].As<Napi::Array>());
}

// Refuses what an asynchronous step reads, if it is to be written here, and what that one zeroes.
void refuseBusy(const CallbackInfo& info, const std::vector<FloatSpan>& spans, bool writes) {
  if (BusyMemory::idle()) return;
  Footprint footprint;
  for (const FloatSpan& span : spans) {
    footprint.add(span.data, span.length * sizeof(float), writes);
  }
  if (BusyMemory::conflict(footprint) == BusyMemory::kFree) return;
  fail(info.Env(), "ERR_BUSY",
       "An asynchronous step is working on these gradients: await it first");
}

// The same memory without overlaps, so that what arrays share is there once.
std::vector<FloatSpan> disjoint(std::vector<FloatSpan> spans) {
  std::sort(spans.begin(), spans.end(),
            [](const FloatSpan& a, const FloatSpan& b) { return a.data < b.data; });
  std::vector<FloatSpan> result;
  for (const FloatSpan& span : spans) {
    FloatSpan* last = result.empty() ? nullptr : &result.back();
    if (last == nullptr || last->data + last->length <= span.data) {
      result.push_back(span);
    } else {
      const auto begin = static_cast<size_t>(span.data - last->data);
      last->length = std::max(last->length, begin + span.length);
    }
  }
  return result;
}

void treatAll(const CallbackInfo& info, const std::vector<FloatSpan>& spans,
              const GradientFactors& factors) {
  refuseBusy(info, spans, true);
  const auto treat = activeTable().treat;
  for (const FloatSpan& span : spans) treat(factors, span.data, span.data, span.length);
}

// A number of JavaScript that is a float32.
float single(const CallbackInfo& info, size_t at) { return static_cast<float>(number(info, at)); }

// gradNorm(arrays, order): number
napi_value gradNorm(const CallbackInfo& info) {
  const Norm norm(number(info, 1));
  const std::vector<FloatSpan> spans = arrays(info);
  refuseBusy(info, spans, false);
  std::vector<double> parts;
  for (const FloatSpan& span : spans) {
    parts.push_back(norm.array(span.data, span.length, {}));
  }
  return Napi::Number::New(info.Env(), norm.total(parts.data(), parts.size()));
}

// clipGrads(arrays, totalNorm, maxNorm)
napi_value clipGrads(const CallbackInfo& info) {
  GradientFactors factors;
  factors.coefficient = clipCoefficient(number(info, 1), number(info, 2));
  if (factors.change()) treatAll(info, arrays(info), factors);
  return nullptr;
}

// clampGrads(arrays, bound)
napi_value clampGrads(const CallbackInfo& info) {
  GradientFactors factors;
  factors.bound = single(info, 1);
  treatAll(info, arrays(info), factors);
  return nullptr;
}

// scaleGrads(arrays, factor)
napi_value scaleGrads(const CallbackInfo& info) {
  GradientFactors factors;
  factors.scale = single(info, 1);
  treatAll(info, disjoint(arrays(info)), factors);
  return nullptr;
}

// countNonFinite(arrays): number
napi_value countNonFiniteOf(const CallbackInfo& info) {
  const std::vector<FloatSpan> spans = arrays(info);
  refuseBusy(info, spans, false);
  double count = 0;
  for (const FloatSpan& span : spans) count += countNonFinite(span.data, span.length);
  return Napi::Number::New(info.Env(), count);
}

// For tests. debugReduce(reduction, array, scale, bound): number, for at most one block.
napi_value debugReduce(const CallbackInfo& info) {
  const uint32_t reduction = index(info.Env(), info[0], kReductions, "reduction");
  const FloatSpan span = floatArray(info.Env(), info[1]);
  if (span.length > kReduceBlock) fail(info.Env(), "ERR_INTERNAL", "Expected one block");
  GradientFactors factors;
  factors.scale = single(info, 2);
  factors.bound = single(info, 3);
  const double result = activeTable().reduce[reduction](span.data, span.length, factors);
  return Napi::Number::New(info.Env(), result);
}

}  // namespace

void defineGradients(Napi::Object exports) {
  define<gradNorm>(exports, "gradNorm");
  define<clipGrads>(exports, "clipGrads");
  define<clampGrads>(exports, "clampGrads");
  define<scaleGrads>(exports, "scaleGrads");
  define<countNonFiniteOf>(exports, "countNonFinite");
  define<debugReduce>(exports, "debugReduce");
}

}  // namespace gradstep
