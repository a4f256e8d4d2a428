// The optimizers' own memory: whose it is, where it lies, and how the system gets it back.
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "../kernels/kernel_table.h"
#include "define.h"

namespace gradstep {
namespace {

using Napi::CallbackInfo;

// claimState(handle, bytes: Uint8Array)
napi_value claimState(const CallbackInfo& info) {
  const void* begin;
  size_t bytes;
  byteArray(info.Env(), info[1], &begin, &bytes);
  unwrap(info.Env(), info[0]).claimState(begin, bytes);
  return nullptr;
}

// releaseState(handle, bytes: Uint8Array): as they were claimed.
napi_value releaseState(const CallbackInfo& info) {
  const void* begin;
  size_t bytes;
  byteArray(info.Env(), info[1], &begin, &bytes);
  unwrap(info.Env(), info[0]).releaseState(begin);
  return nullptr;
}

constexpr uintptr_t kPage = 4096;

// residue(bytes: Uint8Array): how far its address is past a page.
napi_value residue(const CallbackInfo& info) {
  const void* begin;
  size_t bytes;
  byteArray(info.Env(), info[0], &begin, &bytes);
  return Napi::Number::New(info.Env(),
                           static_cast<double>(reinterpret_cast<uintptr_t>(begin) % kPage));
}

#if defined(__linux__)
constexpr int kHugePages = MADV_HUGEPAGE, kGiveBack = MADV_DONTNEED;
#else
constexpr int kHugePages = 0, kGiveBack = 0;
#endif

// Tells the system something about the whole pages of a Uint8Array.
napi_value advise(const CallbackInfo& info, int advice) {
  const void* begin;
  size_t bytes;
  byteArray(info.Env(), info[0], &begin, &bytes);
  const uintptr_t first = (reinterpret_cast<uintptr_t>(begin) + kPage - 1) / kPage * kPage;
  const uintptr_t last = (reinterpret_cast<uintptr_t>(begin) + bytes) / kPage * kPage;
  if (advice == 0 || last <= first) return nullptr;
#if defined(__linux__)
  madvise(reinterpret_cast<void*>(first), last - first, advice);
#endif
  return nullptr;
}

// adviseHugePages(bytes: Uint8Array): a wish; where the system knows none, nothing happens.
napi_value adviseHugePages(const CallbackInfo& info) { return advise(info, kHugePages); }

// giveBack(bytes: Uint8Array): nobody needs what lies there. V8 takes shared buffers from malloc,
// which is private memory: its pages go at once, and come back as zeros when they are touched.
napi_value giveBack(const CallbackInfo& info) { return advise(info, kGiveBack); }

}  // namespace

void defineMemory(Napi::Object exports) {
  define<claimState>(exports, "claimState");
  define<releaseState>(exports, "releaseState");
  define<residue>(exports, "residue");
  exports.Set("longArray", Napi::Number::New(exports.Env(), kLongArray));
  define<adviseHugePages>(exports, "adviseHugePages");
  define<giveBack>(exports, "giveBack");
}

}  // namespace gradstep
