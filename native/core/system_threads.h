// Threads, locks and conditions as the system has them: pthread, or Windows' own. Not those of
// libuv, which Bun lacks, nor std::thread, which asks for a younger C library than Node.js does.
#pragma once

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <pthread.h>
#endif

namespace gradstep {

// Nothing here is copied or moved: the system knows these objects by their address. A call that
// fails although it is used rightly, which none does, aborts.

class SystemMutex {
 public:
  SystemMutex();
  SystemMutex(const SystemMutex&) = delete;
  SystemMutex& operator=(const SystemMutex&) = delete;
  void lock();
  void unlock();

 private:
  friend class SystemCondition;
#if defined(_WIN32)
  SRWLOCK lock_;
#else
  pthread_mutex_t mutex_;
#endif
};

class SystemCondition {
 public:
  SystemCondition();
  SystemCondition(const SystemCondition&) = delete;
  SystemCondition& operator=(const SystemCondition&) = delete;
  void wait(SystemMutex& mutex);
  void wakeAll();

 private:
#if defined(_WIN32)
  CONDITION_VARIABLE condition_;
#else
  pthread_cond_t condition_;
#endif
};

class SystemThread {
 public:
  using Main = void (*)(void* argument);
  SystemThread() = default;
  SystemThread(const SystemThread&) = delete;
  SystemThread& operator=(const SystemThread&) = delete;
  // False: the system refuses, and there is nothing to join.
  bool start(Main main, void* argument);
  void join();

 private:
#if defined(_WIN32)
  static DWORD WINAPI begin(void* self);
  HANDLE thread_ = nullptr;
#else
  static void* begin(void* self);
  pthread_t thread_{};
#endif
  Main main_ = nullptr;
  void* argument_ = nullptr;
};

}  // namespace gradstep
