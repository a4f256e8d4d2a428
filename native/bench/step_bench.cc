// How long a step takes, without any JavaScript: each rule, on each instruction set, over arrays
// that fit into the first cache and over arrays that fit into none. Prints the median.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "../core/optimizer.h"
#include "../simd/dispatch.h"

using namespace gradstep;

namespace {

struct Setting {
  const char* field;
  double value;
};

constexpr Setting kSettings[] = {
    {"lr", 1e-3}, {"beta1", 0.9}, {"beta2", 0.999}, {"eps", 1e-8}, {"momentum", 0.9},
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

int bitsIn(uint32_t word) { return word == 0 ? 0 : 1 + bitsIn(word & (word - 1)); }

// Nanoseconds of a step over one array of so many floats.
double timeOf(const RuleInfo& rule, size_t length) {
  const std::vector<double> hyperparameters = hyperparametersOf(rule);
  std::vector<float> data(length, 1.0f), grad(length, 1e-3f);
  std::vector<std::vector<float>> states(kMaxStates, std::vector<float>(length, 0.0f));
  double steps = 0;
  Optimizer optimizer(rule);
  optimizer.addGroup(hyperparameters.data(), &steps, {{data.data(), length}});
  for (int k = 0; k < kMaxStates; k++) {
    if (rule.states(hyperparameters.data()) >> k & 1) {
      optimizer.setState(0, k, states[static_cast<size_t>(k)].data());
    }
  }
  optimizer.setGrad(0, grad.data());
  const int repeats = length > 100000 ? 2 : 200;
  std::vector<double> times;
  for (int round = 0; round < 15; round++) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; i++) optimizer.step();
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    times.push_back(time.count() / repeats);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

int main() {
  std::printf("%-8s %-8s %12s %12s %10s\n", "rule", "isa", "floats", "ns/float", "GB/s");
  for (const char* name : {"sgd", "adam", "adamw"}) {
    const RuleInfo& rule = *findRule(name);
    // Bytes that have to move for each float: read the gradient, read and write the rest.
    const int bytes = 4 * (1 + 2 * (1 + bitsIn(rule.states(hyperparametersOf(rule).data()))));
    for (const KernelTable* const* table = supportedTables(); *table; ++table) {
      forceTable((*table)->name);
      for (const size_t length : {size_t{1} << 10, size_t{1} << 23}) {
        const double time = timeOf(rule, length) / static_cast<double>(length);
        std::printf("%-8s %-8s %12zu %12.3f %10.1f\n", name, (*table)->name, length, time,
                    bytes / time);
      }
    }
  }
}
