#include "power.h"

#include "elementary.h"

namespace gradstep {
namespace {

constexpr DoubleDouble kLn2{0.6931471805599453, 2.3190468138462996e-17};

// The sum, exactly; |a| >= |b|.
DoubleDouble fastSum(double a, double b) {
  const double high = a + b;
  return {high, b - (high - a)};
}

// The sum, exactly, whichever is larger (Knuth's TwoSum).
DoubleDouble exactSum(double a, double b) {
  const double high = a + b, part = high - a;
  return {high, (a - (high - part)) + (b - part)};
}

DoubleDouble add(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble sum = exactSum(a.high, b.high);
  return fastSum(sum.high, sum.low + (a.low + b.low));
}

// Veltkamp's split into 26 and 27 bits, whose products are exact.
DoubleDouble split(double a) {
  const double c = 134217729.0 * a;
  const double high = c - (c - a);
  return {high, a - high};
}

DoubleDouble multiply(DoubleDouble a, DoubleDouble b) {
  const double product = a.high * b.high;
  const DoubleDouble x = split(a.high), y = split(b.high);
  // Dekker's TwoProduct: the rounding error of `product`, exactly.
  double error = x.low * y.low - (((product - x.high * y.high) - x.low * y.high) - x.high * y.low);
  error += a.high * b.low + a.low * b.high;
  return fastSum(product, error);
}

DoubleDouble divide(DoubleDouble a, DoubleDouble b) {
  const double quotient = a.high / b.high;
  const DoubleDouble rest = add(a, multiply(b, {-quotient, 0}));
  return fastSum(quotient, rest.high / b.high);
}

double fromBits(uint64_t bits) {
  double x;
  copyBytes(&x, &bits, sizeof x);
  return x;
}

double powerOfTwo(int k) { return fromBits(static_cast<uint64_t>(k + 1023) << 52); }

// x = m * 2^k with m in [0.5, 1), for a positive x.
double significand(double x, int* k) {
  int scale = 0;
  if (x < DBL_MIN) x *= 0x1p54, scale = 54;
  uint64_t bits;
  copyBytes(&bits, &x, sizeof bits);
  *k = static_cast<int>(bits >> 52) - 1022 - scale;
  return fromBits((bits & 0xfffffffffffff) | uint64_t{1022} << 52);
}

// x * 2^k for an x near 1: in two factors, of which only the last can round.
double scaled(double x, int k) {
  const int half = k / 2;
  return x * powerOfTwo(half) * powerOfTwo(k - half);
}

// The largest whole number that is not above x; for what an int can hold.
int floorOf(double x) {
  const auto whole = static_cast<int>(x);
  return whole > x ? whole - 1 : whole;
}

// By binary exponentiation.
DoubleDouble wholePower(double base, uint64_t exponent) {
  DoubleDouble result{1, 0}, square{base, 0};
  for (uint64_t n = exponent; n != 0; n >>= 1) {
    if (n & 1) result = multiply(result, square);
    if (n > 1) square = multiply(square, square);
  }
  return result;
}

// ln x = k ln 2 + 2 artanh z, where x = 2^k m and z = (m - 1) / (m + 1).
DoubleDouble logarithm(double x) {
  int k;
  double m = significand(x, &k);
  if (m < 0.7) m *= 2, k -= 1;
  const DoubleDouble z = divide({m - 1, 0}, exactSum(m, 1));  // |z| < 0.18
  const DoubleDouble square = multiply(z, z);
  double tail = 0;  // of the series: its small terms need no more than a double
  for (double n = 41; n > 13; n -= 2) tail = tail * square.high + 2 / n;
  DoubleDouble sum{tail, 0};
  for (double n = 13; n > 0; n -= 2) sum = add(multiply(sum, square), divide({2, 0}, {n, 0}));
  return add(multiply(kLn2, {static_cast<double>(k), 0}), multiply(sum, z));
}

// e^y = 2^k e^r by Taylor's series, |r| < 0.35; for a y whose result is a double.
double exponential(DoubleDouble y) {
  const int k = floorOf(y.high / kLn2.high + 0.5);
  const DoubleDouble r = add(y, multiply(kLn2, {-static_cast<double>(k), 0}));
  double tail = 1;
  for (double n = 23; n > 9; n--) tail = 1 + tail * (r.high / n);
  DoubleDouble sum{tail, 0};
  for (double n = 9; n > 0; n--) sum = add({1, 0}, multiply(sum, divide(r, {n, 0})));
  return scaled(sum.high, k);
}

// Whether it is a power of a beta; those of larger bases could overflow on the way.
bool isWholePower(double base, double exponent) {
  return base > 0 && base < 1 && exponent > 0 && exponent < 0x1p53 &&
         exponent == static_cast<double>(static_cast<uint64_t>(exponent));
}

}  // namespace

double power(double base, double exponent) {
  if (exponent == 0 || base == 1) return 1;
  if (!(base >= 0) || isNaN(exponent)) return __builtin_nan("0");
  if (base == 0 || base == kInfinity) return (base == 0) == (exponent > 0) ? 0 : kInfinity;
  if (isWholePower(base, exponent)) {
    return wholePower(base, static_cast<uint64_t>(exponent)).high;
  }
  const DoubleDouble log = logarithm(base);
  const double rough = log.high * exponent;
  if (rough > 710) return kInfinity;
  if (rough < -746) return 0;
  return exponential(multiply(log, {exponent, 0}));
}

// As power(), with squarings that are known: the same products in the same order.
double PowerMemo::compute(double base, double exponent) {
  if (!isWholePower(base, exponent)) return power(base, exponent);
  Squarings* squarings = squarings_;
  while (squarings != squarings_ + kBases && squarings->base != base) squarings++;
  if (squarings == squarings_ + kBases) {
    squarings = &squarings_[nextSquarings_++ % kBases];
    squarings->base = base;
    squarings->powers[0] = {base, 0};
    squarings->known = 1;
  }
  DoubleDouble result{1, 0};
  int k = 0;
  for (auto n = static_cast<uint64_t>(exponent); n != 0; n >>= 1, k++) {
    if (k == squarings->known) {
      const DoubleDouble last = squarings->powers[k - 1];
      squarings->powers[squarings->known++] = multiply(last, last);
    }
    if (n & 1) result = multiply(result, squarings->powers[k]);
  }
  return result.high;
}

double PowerMemo::operator()(double base, double exponent) {
  for (const Entry& entry : entries_) {
    if (entry.base == base && entry.exponent == exponent) return entry.value;
  }
  const double value = compute(base, exponent);
  entries_[next_++ % kEntries] = {base, exponent, value};
  return value;
}

}  // namespace gradstep
