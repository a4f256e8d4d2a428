// The process's helpers, shared by all environments. A job is a number of chunks: the caller claims
// them from the front and helpers from the back, so that each walks through memory of its own and
// nobody waits for a helper that sleeps.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "system_threads.h"

namespace gradstep {

class ThreadPool {
 public:
  using Work = void (*)(void* context, size_t chunk);

  static constexpr int kMaxThreads = 256;
  static constexpr size_t kMaxChunks = 0xffff;

  // Never destroyed: threads may outlive whoever destroys statics.
  static ThreadPool& instance();

  // Each environment holds the pool; the last one to let go ends its threads.
  void retain();
  void release();

  // How many threads a step may use, the caller among them; 0 until somebody has said it.
  int threads() const { return threads_.load(std::memory_order_relaxed); }
  void setThreads(int threads) { threads_.store(threads, std::memory_order_relaxed); }

  // How many that is for a job that may use `most`, or as many as there are: 0.
  int threadsFor(int most) const { return most == 0 || most > threads() ? threads() : most; }

  // Whether helpers would come in time for a job of so many floats: they are awake, or it is
  // worth waking them.
  bool helps(size_t floats, int most = 0);

  // Calls work(context, i) for every i below `chunks` and returns when all are done. Chunks run on
  // this thread alone if another environment holds the pool.
  void run(Work work, void* context, size_t chunks, int most = 0);

 private:
  using Clock = std::chrono::steady_clock;
  struct Helper {
    ThreadPool* pool;
    int number;
    SystemThread thread;
    std::atomic<bool> stopping{false};
  };
  // Who claims what, in one word: generation of the job, first chunk left, one beyond the last.
  struct Claims {
    uint64_t generation;
    size_t front, back;
    explicit Claims(uint64_t word)
        : generation(word >> 32), front(word >> 16 & 0xffff), back(word & 0xffff) {}
  };

  ThreadPool();
  bool startHelpers();
  void wakeHelpers();
  bool takeFront(size_t* chunk);
  bool takeBack(size_t* chunk);
  bool hasWork(const Helper& helper) const;
  bool waitForWork(const Helper& helper);
  void help(const Helper& helper);

  std::atomic<int> threads_{0};
  std::atomic<uint64_t> claims_{0};
  std::atomic<size_t> done_{0};
  std::atomic<int> asleep_{0};
  std::atomic_flag held_ = ATOMIC_FLAG_INIT;
  Work work_ = nullptr;
  void* context_ = nullptr;
  std::atomic<int> jobThreads_{0};  // of the job that is under way
  std::atomic<Clock::rep> lastJob_{0};
  std::atomic<int> closeJobs_{0};  // how many jobs have followed each other closely

  SystemMutex mutex_;  // of what follows, and of falling asleep
  SystemCondition wake_;
  int environments_ = 0;
  std::vector<Helper*> helpers_;
};

}  // namespace gradstep
