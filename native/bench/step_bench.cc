// How fast the kernels alone are: every rule, on every instruction set, from arrays that fit into
// the first cache to arrays that fit into none. `step_bench RULE …` times these rules only.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "../kernels/registry.h"
#include "../kernels/dispatch.h"

using namespace gradstep;

namespace {

constexpr size_t kSizes[] = {1'000, 10'000, 100'000, 1'000'000, 10'000'000};
constexpr double kBudget = 3e7;  // nanoseconds for one figure

struct Setting {
  const char* field;
  double value;
};

// The optimizers' defaults, but for a momentum; fields that are not named here are 0.
constexpr Setting kSettings[] = {
    {"lr", 1e-3},      {"beta1", 0.9},        {"beta2", 0.999},    {"eps", 1e-8},
    {"momentum", 0.9}, {"alpha", 0.99},       {"rho", 0.9},        {"etaMinus", 0.5},
    {"etaPlus", 1.2},  {"stepSizeMin", 1e-6}, {"stepSizeMax", 50},
};

std::vector<double> hyperparametersOf(const RuleInfo& rule) {
  std::vector<double> values(rule.fieldCount, 0.0);
  for (size_t i = 0; i < rule.fieldCount; i++) {
    for (const Setting& setting : kSettings) {
      if (std::strcmp(rule.fieldName(i), setting.field) == 0) values[i] = setting.value;
    }
  }
  return values;
}

// A rule with scalars as they are some steps into a run, where a first step's special case is over.
struct Work {
  const RuleInfo& rule;
  Prepared prepared;
  ScalarStorage scalars;

  explicit Work(const RuleInfo& info) : rule(info) {
    const std::vector<double> hyperparameters = hyperparametersOf(rule);
    PowerMemo powers;
    ScalarMaker f32(powers);
    RecordStorage record;
    for (int step = 0; step < 10; step++) {
      prepared = rule.prepare(hyperparameters.data(), record, f32, scalars);
    }
  }

  int states() const {
    int count = 0;
    for (int k = 0; k < kMaxStates; k++) count += prepared.states >> k & 1;
    return count;
  }

  // That have to move for each value: the gradient is read, the rest is read and written.
  int bytes() const { return 4 * (1 + 2 * (1 + states())); }
};

// The arrays of one parameter: on cache lines, and not all at the same place modulo a page.
class Arrays {
 public:
  Arrays(size_t length, uint32_t states) {
    constexpr size_t kLine = 64 / sizeof(float);
    const size_t stride = (length + kLine - 1) / kLine * kLine + 17 * kLine;
    memory_.assign((2 + kMaxStates) * stride + kLine, 1e-3f);
    const size_t past = reinterpret_cast<uintptr_t>(memory_.data()) % 64 / sizeof(float);
    float* begin = memory_.data() + (kLine - past) % kLine;
    slot.data = begin;
    slot.grad = begin + stride;
    for (size_t k = 0; k < kMaxStates; k++) {
      if (states >> k & 1) slot.state[k] = begin + (2 + k) * stride;
    }
    slot.length = length;
  }

  Slot slot;

 private:
  std::vector<float> memory_;
};

// Nanoseconds for each value, in the best of many rounds.
double timeOf(const Work& work, const KernelTable& table, size_t length) {
  using Clock = std::chrono::steady_clock;
  const Arrays arrays(length, work.prepared.states);
  const Slot* slot = &arrays.slot;
  const Kernel kernel = table.rules[work.rule.index][work.prepared.variant];
  const int repeats = static_cast<int>(std::max<size_t>(1, 1'000'000 / length));
  double best = 1e300, spent = 0;
  while (spent < kBudget) {
    const auto start = Clock::now();
    for (int i = 0; i < repeats; i++) {
      kernel(&work.scalars, work.prepared.sign, slot, slot + 1, 0, length);
    }
    const std::chrono::duration<double, std::nano> time = Clock::now() - start;
    best = std::min(best, time.count() / repeats);
    spent += time.count();
  }
  return best / static_cast<double>(length);
}

void report(const Work& work, const KernelTable& table) {
  std::printf("%-9s %-7s %8d", work.rule.name, table.name, work.bytes());
  double time = 0;
  for (const size_t length : kSizes) {
    time = timeOf(work, table, length);
    std::printf(" %7.3f", time);
  }
  std::printf(" %7.1f\n", work.bytes() / time);
  std::fflush(stdout);
}

template <class... Rules>
std::vector<const char*> namesOf(RuleList<Rules...>) {
  return {Rules::kName...};
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<const char*> names(arguments + 1, arguments + count);
  if (names.empty()) names = namesOf(AllRules{});
  std::printf("Nanoseconds per value by number of values, best rounds; GB/s at the largest\n");
  std::printf("%-9s %-7s %8s %7s %7s %7s %7s %7s %7s\n", "rule", "isa", "bytes", "1e3", "1e4",
              "1e5", "1e6", "1e7", "GB/s");
  for (const char* name : names) {
    const RuleInfo* rule = findRule(name);
    if (rule == nullptr) {
      std::fprintf(stderr, "step_bench: no rule '%s'\n", name);
      return 2;
    }
    const Work work(*rule);
    for (auto table = supportedTables(); *table; ++table) report(work, **table);
  }
}
