#include "system_threads.h"

#include <cstdlib>

// Since glibc 2.34 these lie in libc.so.6 under a new version, which older systems lack; their
// first versions are there, too, and are the same functions.
#if defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
// as the sanitizer or the system has them
#elif defined(__x86_64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.17");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.17");
#endif

namespace gradstep {

#if defined(_WIN32)

SystemMutex::SystemMutex() { InitializeSRWLock(&lock_); }
void SystemMutex::lock() { AcquireSRWLockExclusive(&lock_); }
void SystemMutex::unlock() { ReleaseSRWLockExclusive(&lock_); }

SystemCondition::SystemCondition() { InitializeConditionVariable(&condition_); }
void SystemCondition::wait(SystemMutex& mutex) {
  SleepConditionVariableSRW(&condition_, &mutex.lock_, INFINITE, 0);
}
void SystemCondition::wakeAll() { WakeAllConditionVariable(&condition_); }

DWORD WINAPI SystemThread::begin(void* self) {
  const auto* thread = static_cast<SystemThread*>(self);
  thread->main_(thread->argument_);
  return 0;
}

bool SystemThread::start(Main main, void* argument) {
  main_ = main;
  argument_ = argument;
  thread_ = CreateThread(nullptr, 0, begin, this, 0, nullptr);
  return thread_ != nullptr;
}

void SystemThread::join() {
  WaitForSingleObject(thread_, INFINITE);
  CloseHandle(thread_);
}

#else

namespace {

void must(int error) {
  if (error != 0) std::abort();
}

}  // namespace

SystemMutex::SystemMutex() { must(pthread_mutex_init(&mutex_, nullptr)); }
void SystemMutex::lock() { must(pthread_mutex_lock(&mutex_)); }
void SystemMutex::unlock() { must(pthread_mutex_unlock(&mutex_)); }

SystemCondition::SystemCondition() { must(pthread_cond_init(&condition_, nullptr)); }
void SystemCondition::wait(SystemMutex& mutex) {
  must(pthread_cond_wait(&condition_, &mutex.mutex_));
}
void SystemCondition::wakeAll() { must(pthread_cond_broadcast(&condition_)); }

void* SystemThread::begin(void* self) {
  const auto* thread = static_cast<SystemThread*>(self);
  thread->main_(thread->argument_);
  return nullptr;
}

bool SystemThread::start(Main main, void* argument) {
  main_ = main;
  argument_ = argument;
  return pthread_create(&thread_, nullptr, begin, this) == 0;
}

void SystemThread::join() { must(pthread_join(thread_, nullptr)); }

#endif

}  // namespace gradstep
