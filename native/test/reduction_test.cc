// Every reduction of every instruction set gives the double that the definition in
// kernels/reduction.h gives, at every length and alignment; treatment in place likewise.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../core/norm.h"
#include "../core/active_table.h"
#include "../kernels/dispatch.h"
#include "check.h"

using namespace gradstep;

namespace {

const GradientFactors kFactors[] = {{},          {0.25f, INFINITY}, {1, 0.5f}, {-3, 1.0f},
                                    {0, 0.125f}, {1e20f, INFINITY}, {1, 0}};

bool same(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }

float treated(float x, const GradientFactors& t) {
  const float y = x * t.scale;
  return y < -t.bound ? -t.bound : y > t.bound ? t.bound : y;
}

double term(Reduction reduction, float x) {
  switch (reduction) {
    case kSumOfSquares:
      return static_cast<double>(x) * x;
    case kNonZero:
      return x != 0;
    case kNonFinite:
      return !std::isfinite(x);
    default:
      return std::fabs(x);
  }
}

double join(Reduction reduction, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return NAN;
  if (reduction == kMaxAbs) return std::max(a, b);
  if (reduction == kMinAbs) return std::min(a, b);
  return a + b;
}

// By the definition, word for word.
double defined(Reduction reduction, const float* x, size_t length, const GradientFactors& t) {
  double lanes[16];
  for (double& lane : lanes) lane = reduction == kMinAbs ? INFINITY : 0;
  for (size_t i = 0; i < length; i++) {
    lanes[i % 16] = join(reduction, lanes[i % 16], term(reduction, treated(x[i], t)));
  }
  for (const int half : {8, 4, 2, 1}) {
    for (int j = 0; j < half; j++) lanes[j] = join(reduction, lanes[j], lanes[j + half]);
  }
  return lanes[0];
}

// Kinds: moderate; some zeros; huge and tiny; everything, NaN and infinities included.
std::vector<float> values(size_t length, int kind, Random& next) {
  const float odd[] = {0.0f, -0.0f, FLT_MAX, -FLT_MAX, 0x1p-149f, -0x1p-127f, 0x1p-126f};
  std::vector<float> x(length);
  for (float& value : x) {
    value = next.unit();
    if (kind == 1 && next() % 2) value = 0;
    if (kind == 2 && next() % 4 == 0) value = odd[next() % 7];
    if (kind == 3 && next() % 64 == 0) value = next() % 2 ? NAN : INFINITY;
    if (kind == 4) value = next.any();
  }
  return x;
}

void compareReductions(size_t length, size_t misalignment, int kind) {
  Random next;
  std::vector<float> memory = values(length + 16, kind, next);
  const float* x = memory.data() + misalignment;
  for (int r = 0; r < kReductions; r++) {
    const auto reduction = static_cast<Reduction>(r);
    for (const GradientFactors& t : kFactors) {
      const double expected = defined(reduction, x, length, t);
      for (auto table = supportedTables(); *table; ++table) {
        const double got = (*table)->reduce[r](x, length, t);
        CHECK(same(got, expected), "%s reduction %d of %zu + %zu, kind %d: %a, expected %a",
              (*table)->name, r, length, misalignment, kind, got, expected);
      }
    }
  }
}

void compareTreatment(size_t length, size_t misalignment) {
  Random next;
  const std::vector<float> before = values(length + 48, length % 5, next);
  for (const GradientFactors& t : kFactors) {
    std::vector<float> expected = before;
    for (size_t i = 0; i < length; i++) {
      expected[16 + misalignment + i] = treated(before[16 + misalignment + i], t);
    }
    for (auto table = supportedTables(); *table; ++table) {
      std::vector<float> got = before;
      float* x = got.data() + 16 + misalignment;
      (*table)->treat(t, x, x, length);
      for (size_t i = 0; i < got.size(); i++) {
        CHECK(sameBits(got[i], expected[i]), "%s treat %zu at %zu", (*table)->name, length, i);
      }
    }
  }
}

// Blocks in any order, joined in theirs, are the array.
void compareArrays(size_t length) {
  Random next;
  const std::vector<float> x = values(length, 2, next);
  for (const double order : {0.0, 1.0, 2.0, 3.0, 0.5, -1.0, double(INFINITY), -double(INFINITY)}) {
    const Norm norm(order);
    std::vector<double> blocks;
    for (size_t i = 0; i < length; i += kReduceBlock) blocks.push_back(0);
    for (size_t b = blocks.size(); b-- > 0;) {
      const size_t begin = b * kReduceBlock, left = length - begin;
      blocks[b] = norm.block(x.data() + begin, std::min(left, kReduceBlock), {});
    }
    double expected = blocks[0];
    for (size_t b = 1; b < blocks.size(); b++) expected = norm.join(expected, blocks[b]);
    for (auto table = supportedTables(); *table; ++table) {
      forceTable((*table)->name);
      const double got = norm.array(x.data(), length, {});
      CHECK(same(got, expected), "%s order %g of %zu", (*table)->name, order, length);
    }
    forceTable(supportedTables()[0]->name);
  }
}

// If this order were no better than another, the comparisons above would prove nothing.
void orderMatters() {
  Random next;
  int different = 0;
  for (int i = 0; i < 20; i++) {
    const std::vector<float> x = values(4096, 2, next);
    double sum = 0;
    for (const float value : x) sum += static_cast<double>(value) * value;
    different += sum != defined(kSumOfSquares, x.data(), x.size(), {});
  }
  CHECK(different > 10, "%d", different);
}

void totals() {
  const double sums[] = {9, 0, 16}, extremes[] = {3, 5, 4}, odd[] = {1, NAN, 2};
  CHECK(Norm(2).total(sums, 3) == 5, "2");
  CHECK(Norm(1).total(sums, 3) == 25, "1");
  CHECK(Norm(0).total(sums, 3) == 2, "0: how many arrays are not all zero");
  CHECK(Norm(INFINITY).total(extremes, 3) == 5, "infinity");
  CHECK(Norm(-INFINITY).total(extremes, 3) == 3, "-infinity");
  const double cubes[] = {27, 64, 125};
  CHECK(Norm(3).total(cubes, 3) == 6, "3");
  const float one[] = {3, -4, 5};
  CHECK(Norm(3).array(one, 3, {}) == 216, "sum of cubes");
  CHECK(Norm(-1).array(one, 0, {}) == 0, "no element");
  for (const double order : {1.0, 2.0, 3.0, double(INFINITY), -double(INFINITY)}) {
    CHECK(std::isnan(Norm(order).total(odd, 3)), "NaN of order %g", order);
    CHECK(Norm(order).total(odd, 0) == 0, "nothing");
  }
}

void coefficients() {
  CHECK(clipCoefficient(0.5f, 1) == 1, "at most 1");
  CHECK(clipCoefficient(2, 0) == 0, "to nothing");
  CHECK(clipCoefficient(INFINITY, 1) == 0, "infinite norm");
  CHECK(std::isnan(clipCoefficient(NAN, 1)), "NaN");
  CHECK(std::isnan(clipCoefficient(INFINITY, INFINITY)), "inf / inf");
  // Reciprocal first, then the product: two roundings.
  CHECK(clipCoefficient(3, 0.7) == (1.0f / (3.0f + 1e-6f)) * 0.7f, "7 / 30");
  int different = 0;
  for (int i = 1; i < 200; i++) {
    const float total = static_cast<float>(i) * 1.37f;
    different += clipCoefficient(total, 0.7) != std::min(0.7f / (total + 1e-6f), 1.0f);
  }
  CHECK(different > 20, "%d", different);
}

}  // namespace

int main() {
  for (int kind = 0; kind < 5; kind++) {
    for (size_t length = 0; length <= 70; length++) {
      compareReductions(length, length % 16, kind);
    }
    for (size_t misalignment = 0; misalignment < 16; misalignment++) {
      compareReductions(100 + misalignment, misalignment, kind);
    }
    for (const size_t length : {4095, 4096}) compareReductions(length, 3, kind);
  }
  for (size_t length = 0; length <= 70; length++) compareTreatment(length, length % 16);
  for (const size_t length : {1, 4095, 4096, 4097, 8193, 20000}) compareArrays(length);
  orderMatters();
  totals();
  coefficients();
  return finish("reduction");
}
