// Times many steps of the same work on several threads, with the cheapest fork and join there is:
// spinning. The threads live as long as the burst and no longer, since one that spun on would
// share a core with whatever is measured next.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace gradstep {

// Nanoseconds of `steps` steps, each of which is work(0), …, work(threads - 1) at the same time.
// One step more comes first and does not count: it fills the caches and wakes the threads.
template <class Work>
double timeBurst(int threads, int steps, const Work& work) {
  struct alignas(64) Counter {
    std::atomic<int> value{0};
  };
  Counter begun, ended;
  // Gives way after some 20 microseconds, if the machine has fewer cores free than threads.
  const auto waitFor = [](const Counter& counter, int value) {
    for (int i = 0; counter.value.load(std::memory_order_acquire) < value; i++) {
      if (i > 20000) std::this_thread::yield();
    }
  };
  std::vector<std::thread> helpers;
  for (int part = 1; part < threads; part++) {
    helpers.emplace_back([&, part] {
      for (int step = 1; step <= steps + 1; step++) {
        waitFor(begun, step);
        work(part);
        ended.value.fetch_add(1, std::memory_order_release);
      }
    });
  }
  auto start = std::chrono::steady_clock::now();
  for (int step = 1; step <= steps + 1; step++) {
    begun.value.store(step, std::memory_order_release);
    work(0);
    waitFor(ended, step * (threads - 1));
    if (step == 1) start = std::chrono::steady_clock::now();
  }
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  for (std::thread& helper : helpers) helper.join();
  return time.count();
}

}  // namespace gradstep
