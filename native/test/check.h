// The least a test needs: CHECK counts and prints failures, finish() is main's result.
#pragma once

#include <cstdio>
#include <cstring>

namespace gradstep {

inline int failures = 0;
inline int checks = 0;

#define CHECK(condition, ...)                                           \
  do {                                                                  \
    ++gradstep::checks;                                                 \
    if (!(condition) && ++gradstep::failures <= 20) {                   \
      std::printf("%s:%d: CHECK(%s) ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                         \
      std::printf("\n");                                                \
    }                                                                   \
  } while (false)

inline int finish(const char* name) {
  std::printf("%s: %d checks, %d failed\n", name, checks, failures);
  return checks > 0 && failures == 0 ? 0 : 1;
}

// Equal bits; a NaN equals any NaN.
inline bool sameBits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

// A small generator of 32 random bits, the same everywhere.
class Random {
 public:
  uint32_t operator()() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    return state_ ^= state_ << 5;
  }
  // Any float: NaN, infinities and subnormals among them.
  float any() {
    const uint32_t word = (*this)();
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  }
  // In [-1, 1).
  float unit() { return static_cast<float>((*this)() >> 8) * 0x1p-23f - 1; }

 private:
  uint32_t state_ = 2463534242;
};

}  // namespace gradstep
