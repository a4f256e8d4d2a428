#include "thread_pool.h"

#include <algorithm>
#include <new>
#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace gradstep {
namespace {

using namespace std::chrono_literals;

// How long a helper looks for the next job before it sleeps: the pause between two steps of a
// loop that does little else.
constexpr auto kSpin = 40us;
// A sleeper comes too late for a smaller job than this (measured: docs of setNumThreads).
constexpr size_t kWorthWaking = 400000;
// And two threads are no faster than one below this, even if both are awake.
constexpr size_t kWorthSharing = 8192;
// So many jobs in a row are a loop of steps; fewer may be the passes of one step.
constexpr int kLoop = 8;

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool& ThreadPool::instance() {
  static ThreadPool* pool = new ThreadPool;
  return *pool;
}

ThreadPool::ThreadPool() {
  helpers_.reserve(kMaxThreads);  // nothing may throw while the pool is held
}

void ThreadPool::retain() {
  mutex_.lock();
  environments_++;
  mutex_.unlock();
}

void ThreadPool::release() {
  mutex_.lock();
  std::vector<Helper*> ending;
  if (--environments_ == 0) {
    ending.assign(helpers_.begin(), helpers_.end());
    helpers_.clear();
    for (Helper* helper : ending) helper->stopping.store(true);
    wake_.wakeAll();
  }
  mutex_.unlock();
  for (Helper* helper : ending) {
    helper->thread.join();
    delete helper;
  }
}

bool ThreadPool::helps(size_t floats, int most) {
  if (threadsFor(most) < 2 || floats < kWorthSharing) return false;
  if (floats >= kWorthWaking) return true;
  // A helper that is awake has seen a job a moment ago; where jobs follow each other so closely,
  // a sleeping one is woken for those that come.
  const Clock::duration now = Clock::now().time_since_epoch();
  const bool isClose = now - Clock::duration(lastJob_.exchange(now.count())) < 2 * kSpin;
  const int before = closeJobs_.load(std::memory_order_relaxed);
  closeJobs_.store(isClose ? std::min(before + 1, kLoop) : 0, std::memory_order_relaxed);
  return isClose && before + 1 >= kLoop;
}

// Helpers are made when they are first needed; one that the system refuses is done without.
bool ThreadPool::startHelpers() {
  const auto wanted = static_cast<size_t>(threads() - 1);
  if (helpers_.size() >= wanted) return wanted > 0;
  mutex_.lock();
  while (helpers_.size() < wanted && environments_ > 0) {
    auto* helper = new (std::nothrow) Helper;
    if (helper == nullptr) break;
    helper->pool = this;
    helper->number = static_cast<int>(helpers_.size());
    const auto main = [](void* self) {
      const auto* helper = static_cast<Helper*>(self);
      helper->pool->help(*helper);
    };
    if (!helper->thread.start(main, helper)) {
      delete helper;
      break;
    }
    helpers_.push_back(helper);
  }
  mutex_.unlock();
  return !helpers_.empty();
}

void ThreadPool::wakeHelpers() {
  if (asleep_.load() == 0) return;
  mutex_.lock();
  wake_.wakeAll();
  mutex_.unlock();
}

void ThreadPool::run(Work work, void* context, size_t chunks, int most) {
  if (chunks < 2 || threadsFor(most) < 2 || held_.test_and_set(std::memory_order_acquire)) {
    for (size_t i = 0; i < chunks; i++) work(context, i);
    return;
  }
  const bool helped = startHelpers();
  work_ = work;
  context_ = context;
  jobThreads_.store(threadsFor(most));
  done_.store(0, std::memory_order_relaxed);
  const uint64_t generation = Claims(claims_.load(std::memory_order_relaxed)).generation + 1;
  claims_.store(generation << 32 | chunks);
  if (helped) wakeHelpers();
  size_t mine = 0;
  for (size_t chunk; takeFront(&chunk); mine++) work(context, chunk);
  // What is left are chunks that helpers are in the middle of.
  for (unsigned spins = 0; done_.load(std::memory_order_acquire) + mine < chunks;) {
    if (++spins % 4096 == 0)
      std::this_thread::yield();
    else
      pause();
  }
  lastJob_.store(Clock::now().time_since_epoch().count());
  held_.clear(std::memory_order_release);
}

bool ThreadPool::takeFront(size_t* chunk) {
  uint64_t word = claims_.load(std::memory_order_acquire);
  for (;;) {
    const Claims claims(word);
    if (claims.front == claims.back) return false;
    *chunk = claims.front;
    if (claims_.compare_exchange_weak(word, word + (uint64_t{1} << 16))) return true;
  }
}

bool ThreadPool::takeBack(size_t* chunk) {
  uint64_t word = claims_.load(std::memory_order_acquire);
  for (;;) {
    const Claims claims(word);
    if (claims.front == claims.back) return false;
    *chunk = claims.back - 1;
    if (claims_.compare_exchange_weak(word, word - 1)) return true;
  }
}

bool ThreadPool::hasWork(const Helper& helper) const {
  const Claims claims(claims_.load());
  return claims.front != claims.back && helper.number < jobThreads_.load() - 1;
}

// Spins for a while, then sleeps. False: the pool is ending.
bool ThreadPool::waitForWork(const Helper& helper) {
  const auto until = Clock::now() + kSpin;
  for (unsigned spins = 0; !helper.stopping.load(std::memory_order_relaxed); spins++) {
    if (hasWork(helper)) return true;
    if (spins % 64 == 63 && Clock::now() > until) break;
    pause();
  }
  mutex_.lock();
  asleep_++;
  while (!helper.stopping.load() && !hasWork(helper)) wake_.wait(mutex_);
  asleep_--;
  mutex_.unlock();
  return !helper.stopping.load();
}

void ThreadPool::help(const Helper& helper) {
  while (waitForWork(helper)) {
    // A chunk that was claimed keeps its job alive: work_ and context_ are those of the job.
    for (size_t chunk; takeBack(&chunk);) {
      work_(context_, chunk);
      done_.fetch_add(1, std::memory_order_release);
    }
  }
}

}  // namespace gradstep
