// The functions of libuv that the core calls, for programs without Node: those of libuv on Unix,
// whose types are pthread's. Where one fails, as none can that is used rightly, libuv aborts too.
#include <pthread.h>
#include <uv.h>

#include <cstdlib>

namespace {

struct Start {
  uv_thread_cb entry;
  void* argument;
};

void* begin(void* given) {
  const Start start = *static_cast<Start*>(given);
  delete static_cast<Start*>(given);
  start.entry(start.argument);
  return nullptr;
}

void must(int error) {
  if (error != 0) std::abort();
}

}  // namespace

int uv_thread_create(uv_thread_t* thread, uv_thread_cb entry, void* argument) {
  auto* start = new Start{entry, argument};
  const int error = pthread_create(thread, nullptr, begin, start);
  if (error != 0) delete start;
  return -error;
}

int uv_thread_join(uv_thread_t* thread) { return -pthread_join(*thread, nullptr); }

int uv_mutex_init(uv_mutex_t* mutex) { return -pthread_mutex_init(mutex, nullptr); }
void uv_mutex_lock(uv_mutex_t* mutex) { must(pthread_mutex_lock(mutex)); }
void uv_mutex_unlock(uv_mutex_t* mutex) { must(pthread_mutex_unlock(mutex)); }

int uv_cond_init(uv_cond_t* condition) { return -pthread_cond_init(condition, nullptr); }
void uv_cond_wait(uv_cond_t* condition, uv_mutex_t* mutex) {
  must(pthread_cond_wait(condition, mutex));
}
void uv_cond_broadcast(uv_cond_t* condition) { must(pthread_cond_broadcast(condition)); }
