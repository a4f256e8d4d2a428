#include "execute.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "active_table.h"
#include "denormals.h"
#include "thread_pool.h"

namespace gradstep {
namespace {

struct Steps {
  const PlannedStep* list;
  size_t count;
};

// A place in the work: a span of a run of a plan, and how far into it.
struct Cursor {
  size_t step, run, span, offset;
};

// A part of one span.
struct Piece {
  const Slot* span;
  size_t index, from, to;
};

Slot shifted(const Slot& span, size_t by, size_t length) {
  Slot part = span;
  part.data += by;
  part.grad += by;
  for (float*& state : part.state) {
    if (state != nullptr) state += by;
  }
  part.length = length;
  return part;
}

void follow(const Plan& plan, size_t span, size_t from, size_t length) {
  const Slot block = shifted(plan.spans()[span], from, length);
  const Run& run = plan.runs().front();
  run.kernel(&run.scalars, run.prepared.sign, &block, &block + 1, 0, length);
}

// Block by block: the gradient as it shall be, into a small buffer that the rule reads.
void runTreated(const PlannedStep& step, const Run& run, const Piece& piece) {
  GradientFactors factors = step.factors;
  if (step.coefficients != nullptr) factors.coefficient = step.coefficients[piece.index];
  const bool treats = factors.change();
  alignas(64) float treated[kTreatedBlock];
  for (size_t i = piece.from; i < piece.to; i += kTreatedBlock) {
    const size_t length = std::min(kTreatedBlock, piece.to - i);
    Slot block = shifted(*piece.span, i, length);
    float* grad = block.grad;
    if (treats) {
      activeTable().treat(factors, grad, treated, length);
      block.grad = treated;
    }
    run.kernel(&run.scalars, run.prepared.sign, &block, &block + 1, 0, length);
    for (size_t f = 0; f < step.followerCount; f++) {
      follow(*step.followers[f], piece.index, i, length);
    }
    if (step.zeroGrad) std::memset(grad, 0, length * sizeof(float));
  }
}

// From `begin` to `end`, which lie in one run.
void runPart(const PlannedStep& step, const Run& run, Cursor begin, Cursor end) {
  const Slot* spans = step.plan->spans().data();
  const size_t last = end.offset > 0 ? end.span : end.span - 1;
  if (end.span == begin.span && end.offset <= begin.offset) return;
  const size_t to = end.offset > 0 ? end.offset : spans[last].length;
  if (!step.zeroGrad && step.followerCount == 0 && step.coefficients == nullptr &&
      !step.factors.change()) {
    run.kernel(&run.scalars, run.prepared.sign, spans + begin.span, spans + last + 1, begin.offset,
               to);
    return;
  }
  for (size_t i = begin.span; i <= last; i++) {
    const size_t from = i == begin.span ? begin.offset : 0;
    runTreated(step, run, {spans + i, i, from, i == last ? to : spans[i].length});
  }
}

// From `begin` to `end`, wherever they are.
void runBetween(const Steps& steps, Cursor begin, const Cursor& end) {
  for (; begin.step < steps.count && begin.step <= end.step; begin = {begin.step + 1, 0, 0, 0}) {
    const PlannedStep& step = steps.list[begin.step];
    const FlushDenormals flush(step.flushDenormals);
    const std::vector<Run>& runs = step.plan->runs();
    for (size_t r = begin.run; r < runs.size(); r++) {
      const bool first = r == begin.run && (begin.span != 0 || begin.offset != 0);
      const bool last = begin.step == end.step && r == end.run;
      const Cursor from = first ? begin : Cursor{begin.step, r, runs[r].firstSpan, 0};
      const Cursor to = last ? end : Cursor{begin.step, r, runs[r].endSpan, 0};
      if (to.span > from.span || to.offset > from.offset) runPart(step, runs[r], from, to);
      if (last) return;
    }
  }
}

// The work cut at cache lines into parts of about `grain` floats.
std::vector<Cursor> cut(const Steps& steps, size_t grain) {
  std::vector<Cursor> cuts{{0, 0, 0, 0}};
  size_t left = grain;
  for (size_t s = 0; s < steps.count; s++) {
    const Plan& plan = *steps.list[s].plan;
    for (size_t r = 0; r < plan.runs().size(); r++) {
      for (size_t i = plan.runs()[r].firstSpan; i < plan.runs()[r].endSpan; i++) {
        const Slot& span = plan.spans()[i];
        const size_t head = reinterpret_cast<uintptr_t>(span.data) / sizeof(float) % kFloatsPerLine;
        size_t at = 0;
        while (span.length - at > left) {
          const size_t line =
              (at + left + head + kFloatsPerLine - 1) / kFloatsPerLine * kFloatsPerLine - head;
          if (line >= span.length) break;
          at = line;
          left = grain;
          cuts.push_back({s, r, i, at});
        }
        left -= std::min(left - 1, span.length - at);
      }
    }
  }
  cuts.push_back({steps.count, 0, 0, 0});
  return cuts;
}

// How many floats a chunk has. A claim costs some hundred nanoseconds, so that small steps are cut
// once for each thread; larger ones more often, since one of two processors may be the slower.
size_t grainOf(size_t size, size_t threads) {
  constexpr size_t kWorthClaiming = 24 * 1024, kLeast = 4096, kMost = 1 << 18;
  const size_t chunks = std::clamp(size / kWorthClaiming, threads, 8 * threads);
  return std::max(std::clamp((size + chunks - 1) / chunks, kLeast, kMost),
                  size / (ThreadPool::kMaxChunks / 2));
}

// How many threads may work on steps that are done as one: what suits all of them.
int mostThreads(const Steps& steps) {
  int most = 0;
  for (size_t i = 0; i < steps.count; i++) {
    const int own = steps.list[i].threads;
    if (own != 0) most = most == 0 ? own : std::min(most, own);
  }
  return most;
}

// A Team of the pool, whose members take subnormal numbers for zeros if `flush`.
template <bool flush>
void shareWithPool(TeamWork work, void* context, size_t count, size_t floats, int most) {
  struct Shared {
    TeamWork work;
    void* context;
    size_t count, chunks;
  };
  ThreadPool& pool = ThreadPool::instance();
  if (count < 2 || !pool.helps(floats, most)) {
    shareWithNobody(work, context, count, floats, most);
    return;
  }
  Shared job{work, context, count, std::min(count, 4 * static_cast<size_t>(pool.threads()))};
  const auto run = [](void* context, size_t chunk) {
    const auto& job = *static_cast<Shared*>(context);
    const auto from = [&](size_t i) {
      return job.count / job.chunks * i + std::min(i, job.count % job.chunks);
    };
    const FlushDenormals flushes(flush);
    job.work(job.context, from(chunk), from(chunk + 1));
  };
  pool.run(run, &job, job.chunks, most);
}

// A plan whose rule takes parameters whole: one after the other, each on all threads.
void runWhole(const PlannedStep& step) {
  const FlushDenormals flush(step.flushDenormals);
  const Team team{step.flushDenormals ? shareWithPool<true> : shareWithPool<false>, step.threads};
  const Plan& plan = *step.plan;
  float* const workspace = step.workspace + wholeLines(plan.longest());
  for (const Run& run : plan.runs()) {
    for (size_t i = run.firstSpan; i < run.endSpan; i++) {
      Slot slot = plan.spans()[i];
      float* const grad = slot.grad;
      GradientFactors factors = step.factors;
      if (step.coefficients != nullptr) factors.coefficient = step.coefficients[i];
      if (factors.change()) {
        slot.grad = step.workspace;
        activeTable().treat(factors, grad, slot.grad, slot.length);
      }
      run.wholeKernel(&run.scalars, run.prepared.sign, slot, workspace, team);
      if (step.zeroGrad) std::memset(grad, 0, slot.length * sizeof(float));
    }
  }
}

struct Job {
  const Steps steps;
  std::vector<Cursor> cuts;
};

// Plans whose rules take any part of an array.
void executeParts(const PlannedStep* list, size_t count) {
  const Steps steps{list, count};
  size_t size = 0;
  for (size_t i = 0; i < count; i++) size += list[i].plan->size();
  ThreadPool& pool = ThreadPool::instance();
  const int most = mostThreads(steps);
  if (!pool.helps(size, most)) {
    runBetween(steps, {0, 0, 0, 0}, {count, 0, 0, 0});
    return;
  }
  Job job{steps, cut(steps, grainOf(size, static_cast<size_t>(pool.threadsFor(most))))};
  const auto work = [](void* context, size_t chunk) {
    const auto& job = *static_cast<Job*>(context);
    runBetween(job.steps, job.cuts[chunk], job.cuts[chunk + 1]);
  };
  pool.run(work, &job, job.cuts.size() - 1, most);
}

}  // namespace

// They share no memory, so that their order plays no part.
void execute(const PlannedStep* list, size_t count) {
  for (size_t begin = 0, end = 0; begin < count; begin = end) {
    end = begin + 1;
    if (list[begin].plan->isWhole()) {
      runWhole(list[begin]);
      continue;
    }
    while (end < count && !list[end].plan->isWhole()) end++;
    executeParts(list + begin, end - begin);
  }
}

}  // namespace gradstep
