// The emulated fma against the processor's, power against libm, and Adam's root against the
// division.
#include <cmath>
#include <cstdint>
#include <vector>

#include "../math/power.h"
#include "../kernels/registry.h"
#include "../kernels/dispatch.h"
#include "../math/emulated_fma.h"
#include "check.h"

using namespace gradstep;

// std::fma(float, float, float) is exact by the standard, through the instruction or through libm.
static void compare(float a, float b, float c) {
  const float expected = std::fma(a, b, c);
  CHECK(sameBits(emulatedFma(a, b, c), expected), "%a * %a + %a: %a, expected %a", a, b, c,
        emulatedFma(a, b, c), expected);
}

static void directedTriples() {
  const float edges[] = {0.0f,         0x1p-149f, 0x1p-127f, 0x1p-126f,     0x1p-75f,
                         0x1p-24f,     0.5f,      1.0f,      0x1.000002p0f, 0x1.fffffep0f,
                         3.0f,         18631.0f,  0x1p63f,   0x1p102f,      0x1p103f,
                         0x1.c24p113f, 0x1p127f,  FLT_MAX,   INFINITY,      NAN};
  for (const float a : edges) {
    for (const float b : edges) {
      for (const float c : edges) {
        for (int sign = 0; sign < 8; sign++) {
          compare(sign & 1 ? -a : a, sign & 2 ? -b : b, sign & 4 ? -c : c);
        }
      }
    }
  }
  compare(18631.0f, 1801 * 0x1p103f, -1.0f);  // the overflow tie, decided by the last bit
  CHECK(emulatedFma(18631.0f, 1801 * 0x1p103f, -1.0f) == FLT_MAX, "overflow tie");
}

static void randomTriples() {
  Random next;
  for (int i = 0; i < 2'000'000; i++) {
    const float a = i % 2 ? next.any() : next.unit(), b = i % 2 ? next.any() : next.unit();
    const float product = a * b;
    // Near the product, so that ties and cancellation happen.
    const float scale = std::ldexp(1.0f, static_cast<int>(next() % 60) - 30);
    compare(a, b, i % 3 == 0 ? next.any() : i % 3 == 1 ? product * scale : -product);
  }
}

static void everyTable() {
  Random next;
  std::vector<float> a(1003), b(1003), c(1003), out(1003);
  for (size_t i = 0; i < a.size(); i++) a[i] = next.any(), b[i] = next.unit(), c[i] = next.any();
  for (auto table = supportedTables(); *table; ++table) {
    (*table)->fma(a.data(), b.data(), c.data(), out.data(), a.size());
    for (size_t i = 0; i < a.size(); i++) {
      CHECK(sameBits(out[i], std::fma(a[i], b[i], c[i])), "%s at %zu", (*table)->name, i);
    }
  }
}

// Within a double's last bit of libm's, and no scalar made from it differs.
static void comparePower(double base, double exponent) {
  const double ours = power(base, exponent), theirs = std::pow(base, exponent);
  CHECK(std::fabs(ours - theirs) <= 0x1p-52 * theirs + 0x1p-1074, "%a^%a", base, exponent);
  CHECK(static_cast<float>(ours) == static_cast<float>(theirs), "%a^%a", base, exponent);
  CHECK(static_cast<float>(0.9 * (1 - 0.5 * ours)) == static_cast<float>(0.9 * (1 - 0.5 * theirs)),
        "momentum of %a^%a", base, exponent);
  CHECK(static_cast<float>(0.01 / ours) == static_cast<float>(0.01 / theirs), "rate of %a^%a", base,
        exponent);
}

static void anyPowers() {
  for (const double decay : {1e-3, 4e-3, 6e-3, 0.1, 0.37, 1.7}) {  // NAdam's momentum
    for (double t = 1; t < 20000; t++) comparePower(0.96, t * decay);
  }
  for (const double rate : {1e-6, 1e-4, 2e-3, 0.3, 100.0}) {  // ASGD's rate
    for (const double alpha : {0.75, 0.5, 0.66, 1.0, 2.0, -0.3}) {
      for (double t = 1; t < 1e12; t = std::ceil(t * 1.01)) comparePower(1 + rate * t, alpha);
    }
  }
}

static void powers() {
  const double betas[] = {0, 0.4, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.999999};
  for (const double beta : betas) {
    for (double t = 0; t < 20000; t = t < 100 ? t + 1 : std::floor(t * 1.1)) {
      const double ours = power(beta, t), theirs = std::pow(beta, t);
      CHECK(std::fabs(ours - theirs) <= 0x1p-52 * theirs, "%g^%g", beta, t);
      // The scalars that an Adam step is made from.
      CHECK(static_cast<float>(1 - ours) == static_cast<float>(1 - theirs), "%g^%g", beta, t);
    }
  }
  PowerMemo memo;
  for (int i = 0; i < 50; i++) {
    const double t = i % 7;
    CHECK(memo(0.9, t) == power(0.9, t) && memo(0.999, t) == power(0.999, t), "memo");
  }
}

// Adam's kernel with scalars that leave expAvg / (sqrt(expAvgSq) / divisor) as the parameter.
static std::vector<float> overRoot(const KernelTable& table, const std::vector<float>& squares,
                                   std::vector<float> numerators, float divisor) {
  Adam::Scalars s = {0, 0, 1, 0, divisor, 1 / divisor, 0, 1};
  std::vector<float> param(squares.size()), grad(squares.size()), second = squares;
  Slot slot;
  slot.data = param.data();
  slot.grad = grad.data();
  slot.state[0] = numerators.data();
  slot.state[1] = second.data();
  table.rules[findRule("adam")->index][0](&s, 0, &slot, &slot + 1, 0, param.size());
  return param;
}

// A quotient that is one bit off would not divide the true one to 1.
static void dividedRoots() {
  Random next;
  std::vector<float> divisors = {1, 0.5f, 0x1.fffffep-1f, 0x1.000002p-1f, 0x1p-30f, 0x1.8p-20f};
  for (double t = 1; t < 3000; t *= 1.7) {
    for (const double beta : {0.9, 0.99, 0.999, 0.999999}) {
      divisors.push_back(static_cast<float>(std::sqrt(1 - std::pow(beta, t))));
    }
  }
  for (int i = 0; i < 50; i++) divisors.push_back(std::fabs(next.unit()) + 0x1p-30f);
  std::vector<float> squares(20'000), quotients(squares.size());
  for (const float divisor : divisors) {
    for (size_t i = 0; i < squares.size(); i++) {
      const int exponent = static_cast<int>(next() % 270) - 149;
      do squares[i] = std::ldexp(1 + std::fabs(next.unit()), i % 2 ? exponent : -1);
      while (squares[i] == 0 || std::isinf(squares[i]));
      quotients[i] = std::sqrt(squares[i]) / divisor;
    }
    for (auto table = supportedTables(); *table; ++table) {
      const std::vector<float> ones = overRoot(**table, squares, quotients, divisor);
      size_t wrong = 0;
      for (const float one : ones) wrong += one != 1;
      CHECK(wrong == 0, "%s: %zu roots over %a", (*table)->name, wrong, divisor);
    }
  }
}

// Where a kernel computes roots without the divider, in one vector of each of its packs: the roots
// of all mantissas, at every place in a pack.
static void computedRoots() {
  constexpr size_t kChunk = 1 << 16, kPlaces = 8, kLanes = 16;
  if (std::strcmp(supportedTables()[0]->name, "avx512") != 0) return;
  for (size_t place = 0; place < kPlaces; place++) {
    size_t wrong = 0;
    for (uint32_t first = 0; first < 1u << 24; first += kChunk) {
      std::vector<float> squares(place * kLanes, 1.0f), roots(place * kLanes, 1.0f);
      for (uint32_t i = 0; i < kChunk; i++) {
        const uint32_t word = 0x3f800000 + first + i;  // from 1 to 4
        float square;
        std::memcpy(&square, &word, sizeof square);
        squares.push_back(square);
        roots.push_back(std::sqrt(square));
      }
      for (const float one : overRoot(*supportedTables()[0], squares, roots, 1)) wrong += one != 1;
    }
    CHECK(wrong == 0, "%zu computed roots at place %zu", wrong, place);
  }
}

// Among ordinary roots, which share their vectors.
static void oddRoots() {
  const float odd[] = {0,       INFINITY,  NAN,       -1,        -INFINITY,        1e-31f,
                       FLT_MAX, 0x1p-149f, 0x1p-126f, 0x1p-100f, 0x1.fffffep-101f, 0x1p-90f};
  for (const float divisor : {1.0f, 0.03125f, 0.3f}) {
    for (size_t at = 0; at < 150; at++) {
      std::vector<float> squares(150, 0.7f), numerators(150, 1);
      squares[at] = odd[at % 12];
      for (auto table = supportedTables(); *table; ++table) {
        const std::vector<float> got = overRoot(**table, squares, numerators, divisor);
        for (size_t i = 0; i < got.size(); i++) {
          const float expected = 1 / (std::sqrt(squares[i]) / divisor);
          CHECK(sameBits(got[i], expected), "%s: 1 / (sqrt(%a) / %a) = %a, expected %a",
                (*table)->name, squares[i], divisor, got[i], expected);
        }
      }
    }
  }
}

int main() {
  directedTriples();
  randomTriples();
  everyTable();
  powers();
  anyPowers();
  dividedRoots();
  computedRoots();
  oddRoots();
  return finish("arithmetic");
}
