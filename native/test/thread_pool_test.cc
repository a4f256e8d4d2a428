// The pool: every chunk runs once, whoever calls and however many help; helpers sleep when there is
// nothing to do, and end with the last environment. `thread_pool_test small` runs a part.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "../core/thread_pool.h"
#include "check.h"

using namespace gradstep;
using namespace std::chrono_literals;

namespace {

ThreadPool& pool = ThreadPool::instance();

template <class Work>
void run(size_t chunks, const Work& work, int most = 0) {
  const auto call = [](void* context, size_t chunk) {
    (*static_cast<const Work*>(context))(chunk);
  };
  pool.run(call, const_cast<Work*>(&work), chunks, most);
}

// The threads that a job ran on: with chunks so long that whoever is allowed to helps.
std::set<std::thread::id> threadsOf(size_t chunks, int most = 0) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  run(
      chunks,
      [&](size_t) {
        std::this_thread::sleep_for(200us);
        const std::lock_guard<std::mutex> lock(mutex);
        threads.insert(std::this_thread::get_id());
      },
      most);
  return threads;
}

// Ends only if so many threads work on one job at the same time.
void meet(int threads) {
  pool.setThreads(threads);
  std::atomic<int> there{0};
  run(static_cast<size_t>(threads), [&](size_t) {
    there++;
    while (there.load() < threads) std::this_thread::yield();
  });
  CHECK(there == threads, "%d of %d", there.load(), threads);
}

// A job whose chunks leave their mark, in plain memory: a sanitizer sees two on one chunk.
void everyChunkOnce(size_t chunks) {
  std::vector<int> times(chunks);
  run(chunks, [&](size_t chunk) { times[chunk]++; });
  size_t wrong = 0;
  for (const int count : times) wrong += count != 1;
  CHECK(wrong == 0, "%zu of %zu chunks with %d threads", wrong, chunks, pool.threads());
}

void sizesAndThreads(bool small) {
  for (const int threads : {1, 2, 3, 4, 8, 2, 1, 5}) {
    pool.setThreads(threads);
    for (size_t chunks = 0; chunks <= (small ? 20 : 300); chunks++) everyChunkOnce(chunks);
    for (int i = 0; i < (small ? 20 : 2000); i++) everyChunkOnce(16);
    everyChunkOnce(ThreadPool::kMaxChunks);
  }
}

void helpersComeAndGo() {
  for (const int threads : {2, 5, 3, 8, 2}) {
    for (int i = 0; i < 10; i++) meet(threads);
    // Helpers that are no longer wanted leave, at the latest when they have slept.
    bool left = false;
    for (int i = 0; i < 100 && !left; i++) {
      std::this_thread::sleep_for(1ms);
      left = threadsOf(40).size() <= static_cast<size_t>(threads);
    }
    CHECK(left, "%d threads", threads);
  }
}

// Whoever comes while the pool is taken runs alone, and waits for nobody.
void oneCallerAtATime() {
  pool.setThreads(4);
  std::atomic<bool> started{false}, finished{false};
  std::thread holder([&] {
    run(2, [&](size_t) {
      started = true;
      while (!finished.load()) std::this_thread::yield();
    });
  });
  while (!started.load()) std::this_thread::yield();
  const auto threads = threadsOf(40);
  CHECK(threads.size() == 1 && threads.count(std::this_thread::get_id()) == 1, "alone");
  finished = true;
  holder.join();
}

void manyCallers(int jobs) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 4; caller++) {
    callers.emplace_back([&, caller] {
      pool.retain();
      for (int job = 0; job < jobs; job++) {
        if (caller == 0) pool.setThreads(1 + job % 5);
        const size_t chunks = static_cast<size_t>(job * 7 + caller) % 40;
        std::vector<size_t> squares(chunks);
        run(chunks, [&](size_t chunk) { squares[chunk] = chunk * chunk; });
        for (size_t i = 0; i < chunks; i++) wrong += squares[i] != i * i;
      }
      pool.release();
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0, "%d wrong", wrong.load());
}

std::chrono::microseconds processorTime() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto both = std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
  return both + std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// Helpers that never slept would take their share of every pause.
void sleepsWhileIdle() {
  for (int round = 0; round < 3; round++) {
    meet(4);
    bool idle = false;
    for (int i = 0; i < 50 && !idle; i++) {
      const auto before = processorTime();
      std::this_thread::sleep_for(20ms);
      idle = processorTime() - before < 2ms;
    }
    CHECK(idle, "helpers spin");
    meet(4);  // and they wake
  }
}

void helpsWhatIsWorthIt() {
  pool.setThreads(1);
  CHECK(!pool.helps(1 << 30), "nobody is there");
  pool.setThreads(2);
  CHECK(!pool.helps(100), "too small, always");
  CHECK(pool.helps(400000), "worth waking helpers");
  std::this_thread::sleep_for(5ms);
  CHECK(!pool.helps(10000), "too small for helpers that sleep");
  bool helps = false;
  for (int i = 0; i < 100000 && !helps; i++) {
    everyChunkOnce(2);
    helps = pool.helps(10000);
  }
  CHECK(helps, "job follows job");
  CHECK(!pool.helps(1 << 30, 1), "more than the job may use");
  std::this_thread::sleep_for(5ms);
  pool.helps(10000);
  CHECK(!pool.helps(10000), "two passes of one step are no loop");
  pool.setThreads(4);
  CHECK(threadsOf(64, 2).size() <= 2, "no more than the job may use");
}

size_t threadsOfProcess() {
  const std::filesystem::directory_iterator list("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(list), end(list)));
}

// A thread that has ended may stay on the kernel's list for a moment.
bool becomes(size_t threads) {
  for (int i = 0; i < 1000 && threadsOfProcess() != threads; i++) std::this_thread::sleep_for(1ms);
  return threadsOfProcess() == threads;
}

void endsWithTheLastEnvironment() {
  // Sanitizers and emulators have threads of their own, from the first that is started.
  std::thread([] {}).join();
  becomes(1);
  const size_t before = threadsOfProcess();
  for (int round = 0; round < 20; round++) {
    pool.retain();
    pool.retain();
    meet(4);
    pool.release();
    meet(4);  // one environment is left
    CHECK(becomes(before + 3), "%zu threads", threadsOfProcess());
    if (round % 2) std::this_thread::sleep_for(1ms);
    pool.release();
    CHECK(becomes(before), "%zu threads, before %zu", threadsOfProcess(), before);
    CHECK(threadsOf(40).size() == 1, "without an environment there is no help");
  }
}

}  // namespace

int main(int count, char** arguments) {
  const bool small = count > 1 && std::strcmp(arguments[1], "small") == 0;
  CHECK(pool.threads() == 0, "nobody has said it");
  endsWithTheLastEnvironment();
  pool.retain();
  sizesAndThreads(small);
  helpersComeAndGo();
  oneCallerAtATime();
  manyCallers(small ? 50 : 3000);
  sleepsWhileIdle();
  helpsWhatIsWorthIt();
  pool.release();
  manyCallers(small ? 5 : 200);  // the last one out ends helpers while others come in
  return finish("thread_pool");
}
