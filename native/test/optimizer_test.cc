// The core's step: runs of slots, skipped gradients, step counts, and failures that change nothing.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../core/optimizer.h"
#include "check.h"

using namespace gradstep;

namespace {

struct Fixture {
  Optimizer optimizer{*findRule("adam")};
  double hyperparameters[2][7] = {{0.1, 0.9, 0.999, 1e-8, 0, 0, 0},
                                  {0.5, 0.9, 0.999, 1e-8, 0, 0, 0}};
  double steps[2][2] = {};
  std::vector<float> data[4], grad[4], state[4][2];

  Fixture() {
    for (int i = 0; i < 4; i++) {
      data[i].assign(21, 1.0f);
      grad[i].assign(21, 0.5f);
    }
    for (int group = 0; group < 2; group++) {
      const std::vector<FloatSpan> spans = {{data[2 * group].data(), 21},
                                            {data[2 * group + 1].data(), 21}};
      CHECK(!optimizer.addGroup(hyperparameters[group], steps[group], spans).kind, "addGroup");
    }
    for (int i = 0; i < 4; i++) {
      for (int k = 0; k < 2; k++) {
        state[i][k].assign(21, 0.0f);
        optimizer.setState(static_cast<size_t>(i), k, state[i][k].data());
      }
      optimizer.setGrad(static_cast<size_t>(i), grad[i].data());
    }
  }
};

void stepsEveryGroupAtItsRate() {
  Fixture f;
  CHECK(!f.optimizer.step().kind, "step");
  CHECK(std::fabs(f.data[0][20] - 0.9f) < 1e-6f, "%g", f.data[0][20]);
  CHECK(std::fabs(f.data[3][0] - 0.5f) < 1e-6f, "%g", f.data[3][0]);
  CHECK(f.steps[0][0] == 1 && f.steps[1][1] == 1, "counted");
}

void skipsWithoutAGradient() {
  Fixture f;
  f.optimizer.setGrad(1, nullptr);
  CHECK(!f.optimizer.step().kind, "step");
  CHECK(f.data[1][0] == 1.0f && f.steps[0][1] == 0, "skipped");
  f.optimizer.setGrad(1, f.grad[1].data());
  CHECK(!f.optimizer.step().kind, "step");
  CHECK(f.steps[0][0] == 2 && f.steps[0][1] == 1, "each its own count");
  CHECK(std::fabs(f.data[1][0] - 0.9f) < 1e-6f, "bias correction by its own count");
}

void failsBeforeAnythingIsWritten() {
  Fixture f;
  f.hyperparameters[1][0] = 3e38;  // the last group overflows: the first must not have moved
  const Failure failure = f.optimizer.step();
  CHECK(failure.kind == Failure::kOverflow && failure.slot == 2, "kind %d", failure.kind);
  CHECK(f.data[0][0] == 1.0f && f.steps[0][0] == 0 && f.state[0][0][0] == 0, "unchanged");
  f.hyperparameters[1][0] = 0.5;
  f.optimizer.setGrad(3, f.data[0].data());
  const Failure overlap = f.optimizer.step();
  CHECK(overlap.kind == Failure::kGradOverlap && overlap.slot == 3 && overlap.other == 0, "grad");
  f.optimizer.setGrad(3, f.grad[3].data());
  f.optimizer.setData(2, f.data[0].data() + 20);
  const Failure moved = f.optimizer.step();
  CHECK(moved.kind == Failure::kDataOverlap && moved.slot == 2 && moved.other == 0, "data");
  f.optimizer.setData(2, f.data[2].data());
  CHECK(!f.optimizer.step().kind, "mended");
}

void addsAllOrNothing() {
  Fixture f;
  std::vector<float> fresh(5);
  double steps[2] = {};
  const std::vector<FloatSpan> spans = {{fresh.data(), 5}, {f.data[1].data() + 3, 2}};
  const Failure failure = f.optimizer.addGroup(f.hyperparameters[0], steps, spans);
  CHECK(failure.kind == Failure::kDataOverlap && failure.slot == 5 && failure.other == 1,
        "overlap");
  CHECK(f.optimizer.slots().size() == 4 && f.optimizer.groups().size() == 2, "nothing added");
  CHECK(!f.optimizer.addGroup(f.hyperparameters[0], steps, {{fresh.data(), 5}}).kind, "free again");
}

// Parameters side by side in one buffer, each on its cache line, with state laid out alike.
void stepsAnArenaAsOneSpan() {
  alignas(64) static float memory[4][48] = {};
  Optimizer optimizer(*findRule("adam"));
  double hyperparameters[] = {0.1, 0.9, 0.999, 1e-8, 0, 0, 0}, steps[3] = {};
  const size_t lengths[] = {3, 16, 5};
  std::vector<FloatSpan> spans;
  for (size_t i = 0; i < 3; i++) spans.push_back({memory[0] + 16 * i, lengths[i]});
  CHECK(!optimizer.addGroup(hyperparameters, steps, spans).kind, "addGroup");
  for (size_t i = 0; i < 3; i++) {
    for (int k = 0; k < 2; k++) optimizer.setState(i, k, memory[2 + k] + 16 * i);
    for (size_t j = 0; j < lengths[i]; j++) memory[1][16 * i + j] = 0.5f;
    optimizer.setGrad(i, memory[1] + 16 * i, true);
  }
  CHECK(!optimizer.step().kind && optimizer.spanCount() == 2, "the gap is not ours");
  for (size_t i = 0; i < 3; i++) optimizer.ownLines(i);
  CHECK(!optimizer.step().kind && optimizer.spanCount() == 1, "joined");
  CHECK(memory[0][2] == memory[0][36] && memory[0][2] != 0, "every parameter is stepped");
  CHECK(memory[0][3] == 0 && memory[0][37] == 0, "zeros stay zeros, and nothing beyond the end");
  hyperparameters[3] = 0;  // eps: 0 / 0 would be NaN in the gaps
  CHECK(!optimizer.step().kind && optimizer.spanCount() == 3, "apart again");
  CHECK(memory[0][3] == 0, "still zero");
  optimizer.setGrad(1, nullptr);
  hyperparameters[3] = 1e-8;
  CHECK(!optimizer.step().kind && optimizer.spanCount() == 2, "a gap in the middle");
}

void givesASlotItsOwn() {
  Fixture f;
  double own[] = {0.25, 0.9, 0.999, 1e-8, 0, 0, 0}, record = 0;
  CHECK(!f.optimizer.step().kind, "step");
  for (float& x : f.data[1]) x = 1;
  std::fill(f.state[1][0].begin(), f.state[1][0].end(), 0.0f);
  std::fill(f.state[1][1].begin(), f.state[1][1].end(), 0.0f);
  f.optimizer.setSlot(1, own, &record);
  CHECK(!f.optimizer.step().kind, "step");
  CHECK(std::fabs(f.data[1][3] - 0.75f) < 1e-6f, "%g", f.data[1][3]);
  CHECK(record == 1 && f.steps[0][0] == 2 && f.steps[0][1] == 1, "its own count");
  CHECK(f.optimizer.slots()[1].group == 0, "still of its group");
}

void forgetsMemoryThatIsGone() {
  Fixture f;
  std::vector<double> steps(1);
  const std::vector<FloatSpan> same = {{f.data[2].data(), 21}};
  const auto add = [&] { return f.optimizer.addGroup(f.hyperparameters[0], steps.data(), same); };
  CHECK(f.optimizer.findOverlap(same).other == 2 && add().other == 2, "claimed");
  f.optimizer.releaseData(2);
  CHECK(!f.optimizer.findOverlap(same).kind, "released");
  CHECK(!add().kind, "taken over");
}

// Those behind move up, with what is claimed for them and what is not verified yet.
void letsSlotsGo() {
  Fixture f;
  f.optimizer.setData(3, f.data[3].data());
  f.optimizer.removeSlots({0, 2});
  CHECK(f.optimizer.slots().size() == 2 && f.optimizer.slots()[0].data == f.data[1].data(), "left");
  CHECK(!f.optimizer.step().kind, "step");
  CHECK(f.data[0][0] == 1.0f && f.data[2][0] == 1.0f, "gone");
  CHECK(std::fabs(f.data[1][0] - 0.9f) < 1e-6f && std::fabs(f.data[3][0] - 0.5f) < 1e-6f, "moved");
  double steps[1] = {};
  const std::vector<FloatSpan> taken = {{f.data[3].data() + 20, 1}};
  const Failure failure = f.optimizer.addGroup(f.hyperparameters[0], steps, taken);
  CHECK(failure.kind == Failure::kDataOverlap && failure.slot == 2 && failure.other == 1, "claims");
  const std::vector<FloatSpan> freed = {{f.data[0].data(), 21}};
  CHECK(!f.optimizer.addGroup(f.hyperparameters[0], steps, freed).kind, "free again");
  f.optimizer.removeSlots({2});
  f.optimizer.removeSlots({});
  f.optimizer.removeSlots({0, 1});
  CHECK(f.optimizer.slots().empty() && !f.optimizer.step().kind, "none");
}

void replacesASlot() {
  Fixture f;
  CHECK(!f.optimizer.step().kind, "step");
  const Failure failure = f.optimizer.replaceSlot(1, {f.data[0].data() + 3, 5});
  CHECK(failure.kind == Failure::kDataOverlap && failure.slot == 4 && failure.other == 0, "taken");
  CHECK(!f.optimizer.step().kind && f.steps[0][1] == 2, "as it was");
  // In the memory that it has already, and shorter.
  CHECK(!f.optimizer.replaceSlot(1, {f.data[1].data() + 3, 5}).kind, "replaced");
  CHECK(!f.optimizer.step().kind && f.steps[0][1] == 2, "no gradient");
  f.optimizer.setGrad(1, f.grad[1].data());
  CHECK(f.optimizer.step().kind == Failure::kMissingState, "no state");
  for (int k = 0; k < 2; k++) f.optimizer.setState(1, k, f.state[1][k].data());
  const float before = f.data[1][2];
  CHECK(!f.optimizer.step().kind && f.steps[0][1] == 3, "goes on counting");
  CHECK(f.data[1][2] == before && f.data[1][8] == before && f.data[1][3] < before, "length");
}

}  // namespace

int main() {
  CHECK(findRule("nosuch") == nullptr, "findRule");
  stepsEveryGroupAtItsRate();
  skipsWithoutAGradient();
  failsBeforeAnythingIsWritten();
  addsAllOrNothing();
  stepsAnArenaAsOneSpan();
  givesASlotItsOwn();
  forgetsMemoryThatIsGone();
  letsSlotsGo();
  replacesASlot();
  return finish("optimizer");
}
