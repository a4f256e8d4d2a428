// Every kernel of every instruction set gives the bits of the scalar one, at every length from 0
// to beyond two packs, at every alignment, and writes nothing outside its range.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../kernels/registry.h"
#include "../kernels/dispatch.h"
#include "check.h"

using namespace gradstep;

namespace {

constexpr size_t kGuard = 80;
constexpr float kUntouched = 12345.678f;

// The arrays of one slot, with room around them that must stay as it is.
struct Arrays {
  std::vector<float> memory[2 + kMaxStates];
  Slot slot;

  Arrays(size_t length, size_t misalignment, uint32_t states, Random next) {
    for (size_t k = 0; k < 2 + kMaxStates; k++) {
      memory[k].assign(length + 2 * kGuard, kUntouched);
      float* begin = memory[k].data() + kGuard / 2 + (misalignment + k) % 16;
      for (size_t i = 0; i < length; i++) {
        const bool odd = next() % 16 == 0;
        begin[i] = k == 1 && odd ? next.any() : next.unit();
        if (k > 1 && k != 2) begin[i] = std::fabs(begin[i]);  // averages of squares
      }
      if (k == 0)
        slot.data = begin;
      else if (k == 1)
        slot.grad = begin;
      else if (states >> (k - 2) & 1)
        slot.state[k - 2] = begin;
    }
    slot.length = length;
  }

  bool same(const Arrays& other) const {
    for (size_t k = 0; k < 2 + kMaxStates; k++) {
      for (size_t i = 0; i < memory[k].size(); i++) {
        if (!sameBits(memory[k][i], other.memory[k][i])) return false;
      }
    }
    return true;
  }
};

// An average that lets an update pass leaves everything as it is; all other kernels move something.
template <class Rule>
auto passes(int variant) -> decltype(Rule::kPass, bool()) {
  return variant == Rule::kPass;
}
template <class, class... Any>
bool passes(Any...) {
  return false;
}

template <class Rule>
void compare(const typename Rule::Scalars& scalars, int index, int variant, size_t length,
             size_t misalignment) {
  Random next;
  for (size_t i = 0; i < length + misalignment; i++) next();
  const Arrays before(length, misalignment, 0xf, next);
  const float sign = length % 2 ? -0.0f : 0.0f;
  const auto run = [&](const KernelTable& table) {
    Arrays arrays(length, misalignment, 0xf, next);
    table.rules[index][variant](&scalars, sign, &arrays.slot, &arrays.slot + 1, 0, length);
    return arrays;
  };
  const Arrays expected = run(*kScalarTable);
  CHECK(length == 0 || expected.same(before) == passes<Rule>(variant), "%s %d", Rule::kName,
        variant);
  for (auto table = supportedTables(); *table; ++table) {
    CHECK(run(**table).same(expected), "%s %s variant %d length %zu misalignment %zu",
          (*table)->name, Rule::kName, variant, length, misalignment);
  }
}

// A range in the middle of a slot steps just that range, whatever the instruction set.
template <class Rule>
void compareRanges(const typename Rule::Scalars& scalars, int index, int variant) {
  for (auto table = supportedTables(); *table; ++table) {
    Random next;
    Arrays whole(200, 3, 0xf, next), parts(200, 3, 0xf, next);
    const Kernel kernel = (*table)->rules[index][variant];
    kernel(&scalars, 0, &whole.slot, &whole.slot + 1, 0, 200);
    for (const size_t from : {0, 16, 33, 70, 187}) {
      const size_t to = from == 0 ? 16 : from == 16 ? 33 : from == 33 ? 70 : from == 70 ? 187 : 200;
      kernel(&scalars, 0, &parts.slot, &parts.slot + 1, from, to);
    }
    CHECK(parts.same(whole), "%s %s variant %d in ranges", (*table)->name, Rule::kName, variant);
  }
}

// A rule that sees shapes: one that is no matrix, or one of these dimensions.
template <class Rule>
void compareWhole(const typename Rule::Scalars& scalars, const RuleInfo& info, const double* h,
                  const Shape& shape) {
  Random next;
  for (size_t i = 0; i < shape.length; i++) next();
  const auto run = [&](const KernelTable& table) {
    Arrays arrays(shape.length, shape.length % 16, 0xf, next);
    arrays.slot.rows = shape.rows;
    arrays.slot.columns = shape.columns;
    std::vector<float> workspace(info.workspace(shape, h) + 16, kUntouched);
    float* begin = workspace.data();
    while (reinterpret_cast<uintptr_t>(begin) % 64 != 0) begin++;
    const float last = workspace.back();
    const float sign = shape.length % 2 ? -0.0f : 0.0f;
    table.wholeRules[info.index](&scalars, sign, arrays.slot, begin, kAlone);
    CHECK(workspace.back() == last || begin == workspace.data() + 15, "%s workspace", Rule::kName);
    return arrays;
  };
  const Arrays before(shape.length, shape.length % 16, 0xf, next);
  const Arrays expected = run(*kScalarTable);
  CHECK(!expected.same(before), "%s moved nothing", Rule::kName);
  for (auto table = supportedTables(); *table; ++table) {
    CHECK(run(**table).same(expected), "%s %s length %zu of %zu x %zu", (*table)->name, Rule::kName,
          shape.length, shape.rows, shape.columns);
  }
}

template <class Rule>
void testWhole(const typename Rule::Scalars& scalars, const RuleInfo& info, const double* h) {
  for (size_t length = 1; length <= 70; length++) {
    compareWhole<Rule>(scalars, info, h, {length, 0, 0});
  }
  compareWhole<Rule>(scalars, info, h, {9001, 0, 0});
  for (const size_t rows : {1, 2, 15, 17, 40, 130}) {
    for (const size_t columns : {1, 3, 16, 31, 64, 67, 130}) {
      compareWhole<Rule>(scalars, info, h, {rows * columns, rows, columns});
      compareWhole<Rule>(scalars, info, h, {3 * rows * columns, rows, columns});
    }
  }
  compareWhole<Rule>(scalars, info, h, {3 * 4500, 3, 4500});
  compareWhole<Rule>(scalars, info, h, {3 * 4500, 4500, 3});
}

template <class Rule>
void testRule(const typename Rule::Scalars& scalars, int index) {
  for (int variant = 0; variant < Rule::kVariants; variant++) {
    for (size_t length = 0; length <= 150; length++) {
      compare<Rule>(scalars, index, variant, length, length % 16);
    }
    for (size_t misalignment = 0; misalignment < 16; misalignment++) {
      compare<Rule>(scalars, index, variant, 100, misalignment);
      // Long enough for a head of their own, up to the first cache line.
      compare<Rule>(scalars, index, variant, kLongArray + 16 + misalignment, misalignment);
    }
    compareRanges<Rule>(scalars, index, variant);
  }
}

}  // namespace

// Every rule, with scalars as its own prepare() makes them: at its second step.
template <class... Rules>
void testAll(RuleList<Rules...>) {
  PowerMemo powers;
  ScalarMaker f32(powers);
  const auto test = [&](auto rule) {
    using Rule = decltype(rule);
    const RuleInfo* info = findRule(Rule::kName);
    std::vector<double> h(info->fieldCount, kIsWhole<Rule> ? 1 : 0.25);
    ScalarStorage storage;
    RecordStorage record;
    for (int step = 1; step <= 2; step++) info->prepare(h.data(), record, f32, storage);
    CHECK(!f32.takeFailure(), "%s", Rule::kName);
    typename Rule::Scalars scalars;
    std::memcpy(&scalars, storage.bytes, sizeof scalars);
    if constexpr (kIsWhole<Rule>)
      testWhole<Rule>(scalars, *info, h.data());
    else
      testRule<Rule>(scalars, info->index);
  };
  (test(Rules{}), ...);
}

int main() {
  testAll(AllRules{});
  return finish("kernels");
}
