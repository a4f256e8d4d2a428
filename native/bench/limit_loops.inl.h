// The two loops against a vector type V. No include guard: limit_loops.cc includes it once in each
// target region, inside a namespace of its own.

static void exchange(float* to, float from, uint32_t bits) {
  uint32_t a, b;
  std::memcpy(&a, to, sizeof a);
  std::memcpy(&b, &from, sizeof b);
  a ^= b & bits;
  std::memcpy(to, &a, sizeof a);
}

// With kStates arrays beside data and gradient.
template <int kStates>
static void streamOver(float* const* arrays, size_t from, size_t to, uint32_t bits) {
  float* const data = arrays[0];
  const float* const grad = arrays[1];
  float* states[kStates];
  for (int k = 0; k < kStates; k++) states[k] = arrays[2 + k];
  const auto mask = V::broadcastBits(bits);
  size_t i = from;
#pragma GCC unroll 4
  for (; i + V::kLanes <= to; i += V::kLanes) {
    const auto change = V::bitAnd(V::load(grad + i), mask);
    const auto next = V::exclusiveOr(V::load(data + i), change);
    typename V::Vector state[kStates];
    for (int k = 0; k < kStates; k++) state[k] = V::exclusiveOr(V::load(states[k] + i), change);
    for (int k = 0; k < kStates; k++) V::store(states[k] + i, state[k]);
    V::store(data + i, next);
  }
  for (; i < to; i++) {
    exchange(data + i, grad[i], bits);
    for (int k = 0; k < kStates; k++) exchange(states[k] + i, grad[i], bits);
  }
}

static void stream(float* const* arrays, int count, size_t from, size_t to, uint32_t bits) {
  (count == 3 ? streamOver<1> : streamOver<2>)(arrays, from, to, bits);
}

static double divide(size_t values) {
  constexpr int kUnroll = 4;
  typename V::Vector x[kUnroll], roots[kUnroll], quotients[kUnroll];
  for (int j = 0; j < kUnroll; j++) {
    x[j] = V::broadcast(static_cast<float>(1 + j));
    roots[j] = quotients[j] = V::broadcast(0);
  }
  const auto one = V::broadcast(1), stride = V::broadcast(kUnroll);
  size_t vectors = (values + V::kLanes - 1) / V::kLanes;
  for (; vectors > 0; vectors -= vectors < kUnroll ? vectors : kUnroll) {
#pragma GCC unroll 4
    for (int j = 0; j < kUnroll; j++) {
      if (static_cast<size_t>(j) >= vectors) break;
      roots[j] = V::add(roots[j], V::sqrt(x[j]));
      quotients[j] = V::add(quotients[j], V::divide(one, x[j]));
      x[j] = V::add(x[j], stride);
    }
  }
  double sum = 0;
  for (int j = 0; j < kUnroll; j++) {
    float lanes[V::kLanes];
    V::store(lanes, V::add(roots[j], quotients[j]));
    for (const float lane : lanes) sum += lane;
  }
  return sum;
}
