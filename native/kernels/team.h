// Threads that help within a step, as kernels see them: a function and what it needs.
#pragma once

#include <stddef.h>

namespace gradstep {

// A part of some work: from `begin` to before `end`.
using TeamWork = void (*)(void* context, size_t begin, size_t end);

struct Team {
  // Calls work for parts that make up [0, count), in any order, on any threads, and returns when
  // all are done. `floats` tells how much all of it reads, `most` how many threads may help.
  void (*share)(TeamWork work, void* context, size_t count, size_t floats, int most);
  int most;  // 0: as many as there are
};

// Everything on this thread.
static inline void shareWithNobody(TeamWork work, void* context, size_t count, size_t, int) {
  if (count > 0) work(context, 0, count);
}
constexpr Team kAlone = {shareWithNobody, 1};

}  // namespace gradstep
