// Steps with options, cut across threads: as if each gradient had been treated by hand before a
// plain step of one thread; several optimizers as one; and steps on other threads.
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "../core/step_sequence.h"
#include "../core/thread_pool.h"
#include "check.h"

using namespace gradstep;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// An Adam over a few parameters; the same for the same lengths.
struct Model {
  Optimizer optimizer{*findRule("adam")};
  double hyperparameters[7] = {0.1, 0.9, 0.999, 1e-8, 0.01, 0, 0};
  StepOptions options = {1, kInfinity, -1, 2, kGlobal, kApply, 0, 0, 0, 0};
  StepReport report = {};
  std::vector<std::vector<float>> data, grad, state[2];
  std::vector<double> steps;

  explicit Model(const std::vector<size_t>& lengths) : steps(lengths.size()) {
    Random next;
    std::vector<FloatSpan> spans;
    for (const size_t length : lengths) {
      data.push_back(random(length, next));
      grad.push_back(random(length, next));
      for (auto& list : state) list.emplace_back(length);
    }
    for (auto& array : data) spans.push_back({array.data(), array.size()});
    CHECK(!optimizer.addGroup(hyperparameters, steps.data(), spans).kind, "addGroup");
    optimizer.setOptions(&options, &report);
    for (size_t i = 0; i < lengths.size(); i++) {
      for (int k = 0; k < 2; k++) optimizer.setState(i, k, state[k][i].data());
      optimizer.setGrad(i, grad[i].data());
    }
  }

  static std::vector<float> random(size_t length, Random& next) {
    std::vector<float> values(length);
    for (float& value : values) value = next.unit();
    return values;
  }

  // What a plain step of one thread gives if these are the gradients.
  void stepByHand() {
    ThreadPool& pool = ThreadPool::instance();
    const int threads = pool.threads();
    const StepOptions before = options;
    pool.setThreads(1);
    options = {1, kInfinity, -1, 2, kGlobal, kApply, 0, 0, 0, 0};
    CHECK(!optimizer.step().kind, "by hand");
    options = before;
    pool.setThreads(threads);
  }

  void treat(size_t parameter, float scale, float bound, float coefficient) {
    for (float& value : grad[parameter]) {
      value = std::fmin(std::fmax(value * scale, -bound), bound) * coefficient;
    }
  }
};

bool same(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  for (size_t i = 0; i < a.size(); i++) {
    for (size_t j = 0; j < a[i].size(); j++) {
      if (!sameBits(a[i][j], b[i][j])) return false;
    }
  }
  return a.size() == b.size();
}

// Whether both are where they would be after the same steps.
bool same(const Model& a, const Model& b) {
  return same(a.data, b.data) && same(a.state[0], b.state[0]) && same(a.state[1], b.state[1]) &&
         a.steps == b.steps;
}

bool zeros(const std::vector<std::vector<float>>& arrays) {
  for (const auto& array : arrays) {
    for (const float value : array) {
      if (value != 0) return false;
    }
  }
  return true;
}

const std::vector<size_t> kLengths = {5, 70'001, 33, 190'003, 16};

void treatsAcrossThreads(ClipScope scope) {
  Model one(kLengths), hand(kLengths);
  one.options.gradScale = 0.75;
  one.options.clipValue = 0.5;
  one.options.maxGradNorm = 3;
  one.options.clipScope = scope;
  CHECK(!one.optimizer.step().kind, "step");
  CHECK(same(one.grad, hand.grad), "gradients are read, not written");
  const Norm norm(2);
  double total = 0;
  std::vector<double> norms;
  for (const auto& grad : one.grad) {
    norms.push_back(norm.array(grad.data(), grad.size(), {0.75f, 0.5f}));
  }
  total = norm.total(norms.data(), norms.size());
  CHECK(one.report.gradNorm == total && total > 3, "norm %g", one.report.gradNorm);
  for (size_t i = 0; i < kLengths.size(); i++) {
    const double ofOne = norm.total(&norms[i], 1);
    const double by = scope == kPerParam ? ofOne : total;
    hand.treat(i, 0.75f, 0.5f, clipCoefficient(by, 3));
  }
  hand.stepByHand();
  CHECK(same(one, hand), "scope %d, %d threads", scope, ThreadPool::instance().threads());
}

// The first two parameters read one gradient, and the third lies across its end.
void zeroesSharedGrads() {
  Model one({120'000, 120'000, 90'000}), hand({120'000, 120'000, 90'000});
  std::vector<float> shared(150'000);
  Random next;
  for (float& value : shared) value = next.unit();
  for (Model* model : {&one, &hand}) {
    model->optimizer.setGrad(0, shared.data());
    model->optimizer.setGrad(1, shared.data());
    model->optimizer.setGrad(2, shared.data() + 60'000);
  }
  hand.stepByHand();
  one.options.zeroGrad = 1;
  CHECK(!one.optimizer.step().kind && same(one, hand), "all read them before they are zeros");
  CHECK(zeros({shared}), "zeros");
  one.optimizer.setGrad(0, one.grad[0].data());
  one.optimizer.setGrad(1, one.grad[1].data());
  one.optimizer.setGrad(2, one.grad[2].data());
  CHECK(!one.optimizer.step().kind && zeros(one.grad), "in the kernels' pass");
}

void skipsAndRefuses() {
  Model one(kLengths), before(kLengths);
  one.options.zeroGrad = 1;
  one.options.onNonFinite = kSkip;
  one.options.maxConsecutiveSkips = 2;
  one.grad[3][150'000] = kNaN;
  before.grad[3][150'000] = kNaN;
  for (int skip = 1; skip <= 2; skip++) {
    CHECK(!one.optimizer.step().kind && one.report.stepped == 0, "skips");
    CHECK(one.report.skipped == skip && one.report.consecutiveSkips == skip, "counts");
  }
  const Failure often = one.optimizer.step();
  CHECK(often.kind == Failure::kSkips && often.slot == 3, "kind %d", often.kind);
  one.options.onNonFinite = kError;
  const Failure failure = one.optimizer.step();
  CHECK(failure.kind == Failure::kNonFinite && failure.slot == 3, "kind %d", failure.kind);
  CHECK(same(one, before) && same(one.grad, before.grad), "nothing has changed");
  CHECK(one.report.skipped == 2, "nor has the report");
  one.grad[3][150'000] = before.grad[3][150'000] = 1;
  before.stepByHand();
  CHECK(!one.optimizer.step().kind && same(one, before), "mended");
  CHECK(one.report.stepped == 1 && one.report.consecutiveSkips == 0, "in a row no more");
  CHECK(one.report.nonFinite == 0 && zeros(one.grad), "stepped");
}

// The second cannot even begin; the third finds an infinity. The first must not have moved.
void failsInTheMiddle() {
  Model a(kLengths), b(kLengths), c(kLengths), before(kLengths);
  const std::vector<Optimizer*> all{&a.optimizer, &b.optimizer, &c.optimizer};
  StepSequence sequence({0, 0, 0});
  const auto step = [&] {
    Failure failure = sequence.prepare(all, BusyMemory::kHere);
    if (!failure.kind) failure = sequence.check();
    if (!failure.kind) {
      sequence.run(true);
      sequence.commit();
    }
    sequence.release();
    return failure;
  };
  b.hyperparameters[0] = 3e38;
  CHECK(step().kind == Failure::kOverflow && sequence.failed() == 1, "%zu", sequence.failed());
  b.hyperparameters[0] = 0.1;
  c.options.onNonFinite = kError;
  c.grad[1][69'000] = kInfinity;
  const Failure failure = step();
  CHECK(failure.kind == Failure::kNonFinite && failure.slot == 1 && sequence.failed() == 2, "%zu",
        sequence.failed());
  CHECK(same(a, before) && same(b, before) && same(c, before), "nothing has changed");
  c.grad[1][69'000] = before.grad[1][69'000];
  // Gradients that another optimizer has yet to read are zeros only at the end.
  a.options.zeroGrad = 1;
  for (size_t i = 0; i < kLengths.size(); i++) b.optimizer.setGrad(i, a.grad[i].data());
  before.stepByHand();
  CHECK(!step().kind, "mended");
  CHECK(same(a, before) && same(b, before) && same(c, before) && zeros(a.grad), "as one by one");
}

// Each float is small enough to be taken for zero where the processor is told to.
bool keepsSubnormals() {
  const volatile float tiny = 0x1p-140f;
  return tiny * 0.5f != 0;
}

void restoresTheMode(int threads) {
  Model one(kLengths);
  one.options.flushDenormals = 1;
  CHECK(!one.optimizer.step().kind && keepsSubnormals(), "this thread's mode is as it was");
  struct Job {
    std::atomic<int> there{0}, wrong{0};
    int threads;
  } job;
  job.threads = threads;
  const auto work = [](void* context, size_t) {
    auto& job = *static_cast<Job*>(context);
    job.wrong += !keepsSubnormals();
    job.there++;
    while (job.there < job.threads) std::this_thread::yield();
  };
  ThreadPool::instance().run(work, &job, static_cast<size_t>(threads));
  CHECK(job.wrong == 0, "and that of %d helpers", threads - 1);
}

// As an asynchronous step goes: what JavaScript writes meanwhile counts for the next one.
void stepsOnAnotherThread() {
  Model one(kLengths), hand(kLengths), other({7, 9});
  one.options.maxGradNorm = 3;
  StepSequence alone({0});
  CHECK(!alone.prepare({&one.optimizer}, BusyMemory::kBackground).kind, "takes");
  one.hyperparameters[0] = 77;
  one.options.maxGradNorm = -1;
  std::thread thread([&] {
    CHECK(!alone.check().kind, "check");
    alone.run(true);
  });
  other.optimizer.setData(1, one.data[3].data() + 100'000);
  const Failure busy = other.optimizer.step();
  const float* grad = one.grad[1].data() + 10;
  other.optimizer.setData(1, other.data[1].data());
  other.optimizer.setGrad(0, const_cast<float*>(grad));
  const Failure reads = other.optimizer.step();
  other.options.zeroGrad = 1;
  const Failure writes = other.optimizer.step();
  thread.join();
  CHECK(busy.kind == Failure::kBusy && busy.slot == 1, "data of another's step");
  CHECK(!reads.kind && other.steps[0] == 1, "two may read a gradient");
  CHECK(writes.kind == Failure::kBusy && writes.slot == 0, "none may write it meanwhile");
  CHECK(one.steps[0] == 0, "counts come with commit()");
  alone.release();
  alone.commit();
  CHECK(!other.optimizer.step().kind, "free");
  CHECK(other.grad[1] == std::vector<float>(9), "zeros");
  for (size_t i = 0; i < kLengths.size(); i++) {
    hand.treat(i, 1, kInfinity, clipCoefficient(one.report.gradNorm, 3));
  }
  hand.stepByHand();
  CHECK(same(one, hand), "as if it had been stepped here");
}

// Averages of parameters: data that an optimizer steps is the gradient of the average.
struct Average {
  explicit Average(Model& of) : values(of.data) {
    std::vector<FloatSpan> spans;
    for (auto& value : values) spans.push_back({value.data(), value.size()});
    optimizer.addGroup(hyperparameters, counts.data(), spans);
    for (size_t i = 0; i < values.size(); i++) optimizer.setGrad(i, of.data[i].data());
  }

  // decay, lerp, no warm-up; every update, from the first
  double hyperparameters[7] = {0.5, 1, 0, 1, 0, 1, 0};
  std::vector<std::vector<float>> values;
  std::vector<double> counts = std::vector<double>(8);
  Optimizer optimizer{*findRule("ema")};
};

// With averages, on all threads: the bits of one after the other, whoever shares memory with whom.
void followsAcrossThreads() {
  struct Pair {
    Model a{kLengths}, b{kLengths};
    Average ofA{a}, ofB{b};
  } together, apart;
  // The second steps what the first average takes in, and reads its averages as gradients.
  const auto entangle = [](Pair& pair) {
    pair.b.optimizer.setData(1, pair.a.data[1].data());
    pair.b.optimizer.setGrad(3, pair.ofA.values[3].data());
  };
  StepSequence sequence({0, 1, 0, 1});
  const auto members = [](Pair& pair) {
    return std::vector<Optimizer*>{&pair.a.optimizer, &pair.ofA.optimizer, &pair.b.optimizer,
                                   &pair.ofB.optimizer};
  };
  for (int round = 0; round < 6; round++) {
    if (round == 3) {
      entangle(together);
      entangle(apart);
    }
    CHECK(!sequence.prepare(members(together), BusyMemory::kHere).kind, "prepare");
    CHECK(!sequence.check().kind, "check");
    sequence.run(true);
    sequence.commit();
    sequence.release();
    for (Optimizer* member : members(apart)) CHECK(!member->step().kind, "step");
    CHECK(sequence.partCount() == (round < 3 ? 2u : 3u), "in the optimizers' own passes");
    CHECK(together.a.data == apart.a.data && together.b.data == apart.b.data, "round %d", round);
    CHECK(together.ofA.values == apart.ofA.values && together.ofB.values == apart.ofB.values,
          "averages in round %d", round);
  }
}

// Environments that step at once, and an asynchronous step beside them.
void manyEnvironments(int rounds) {
  ThreadPool& pool = ThreadPool::instance();
  std::vector<std::unique_ptr<Model>> models;
  for (int i = 0; i < 3; i++) models.push_back(std::make_unique<Model>(kLengths));
  std::vector<std::thread> environments;
  for (auto& model : models) {
    environments.emplace_back([&, &optimizer = model->optimizer] {
      pool.retain();
      BusyMemory::enterEnvironment();
      StepSequence alone({0});
      for (int round = 0; round < rounds; round++) {
        if (alone.prepare({&optimizer}, BusyMemory::kBackground).kind) continue;
        std::thread([&] { alone.check().kind ? void() : alone.run(true); }).join();
        alone.release();
        alone.commit();
        optimizer.step();
      }
      BusyMemory::leaveEnvironment();
      pool.release();
    });
  }
  for (std::thread& environment : environments) environment.join();
  Model hand(kLengths);
  for (int step = 0; step < 2 * rounds; step++) hand.stepByHand();
  for (auto& model : models) CHECK(same(*model, hand), "%d rounds", rounds);
}

}  // namespace

int main(int count, char** arguments) {
  const bool small = count > 1 && std::strcmp(arguments[1], "small") == 0;
  ThreadPool& pool = ThreadPool::instance();
  pool.retain();
  for (const int threads : {1, 2, 4}) {
    pool.setThreads(threads);
    for (const ClipScope scope : {kGlobal, kPerParam}) treatsAcrossThreads(scope);
    zeroesSharedGrads();
    skipsAndRefuses();
    failsInTheMiddle();
    restoresTheMode(threads);
    stepsOnAnotherThread();
    followsAcrossThreads();
  }
  manyEnvironments(small ? 2 : 20);
  pool.release();
  return finish("step");
}
