// The loops around every rule for WebAssembly, where code is small or it is not sent: over whole
// vectors only, so that there is each rule once. What is left at the end of an array is stepped in
// a copy (native/wasm/module.cc).
#pragma once

#include "driver.h"

namespace gradstep {

template <class V, class Rule, int variant>
void driveWhole(const void* scalars, float sign, const Slot* slot, const Slot*, size_t,
                size_t length) {
  const auto s = *static_cast<const typename Rule::Scalars*>(scalars);
  const auto flip = V::broadcast(sign);
  const auto all = V::firstLanes(V::kLanes);
  const Slot here = *slot;
  for (size_t i = 0; i < length; i += V::kLanes) {
    Rule::template update<variant>(s, Block<V, 1, false>(here, i, flip, all));
  }
}

template <class V>
struct WholeDriver {
  template <class Rule, int variant>
  static constexpr Kernel kKernel = driveWhole<V, Rule, variant>;
};

template <class V, class... Rules>
constexpr KernelTable wholeKernelTable(const char* name, RuleList<Rules...>) {
  return {name,
          {kRuleKernels<WholeDriver<V>, Rules>.kernels...},
          {},  // rules that see shapes are TypeScript's there
          treatKernel<V>,
          fmaKernel<V>,
          Reductions<V>::kKernels};
}

// For vectors whose fma is exact but for rare cases, of which they tell (simd/wasm_simd128.h):
// nothing is stored before it is sure, and what is not is done again, exactly. As Block, but it
// keeps what a rule stores.
template <class V>
class CheckedBlock {
 public:
  using P = Pack<V, 1>;

  GRADSTEP_INLINE CheckedBlock(const Slot& slot, size_t at, typename V::Vector flip)
      : slot_(slot), at_(at), flip_(flip) {}

  GRADSTEP_INLINE P param() const { return load(slot_.data); }
  GRADSTEP_INLINE P grad() const {
    P grad = load(slot_.grad);
    grad.v[0] = V::exclusiveOr(grad.v[0], flip_);
    return grad;
  }
  GRADSTEP_INLINE P state(int k) const { return load(slot_.state[k]); }
  GRADSTEP_INLINE void param(P value) const { keep(kMaxStates, value); }
  GRADSTEP_INLINE void state(int k, P value) const { keep(k, value); }

  // Stores what was kept, or nothing if it is in doubt.
  GRADSTEP_INLINE bool commit() const {
    auto all = V::broadcast(0);
    for (int k = 0; k <= kMaxStates; k++) {
      if (isKept_[k]) all = V::add(all, kept_[k].v[0]);
    }
    if (V::isDoubtful(all)) return false;
    for (int k = 0; k <= kMaxStates; k++) {
      if (isKept_[k]) V::store((k < kMaxStates ? slot_.state[k] : slot_.data) + at_, kept_[k].v[0]);
    }
    return true;
  }

 private:
  GRADSTEP_INLINE P load(const float* array) const {
    P result;
    result.v[0] = V::load(array + at_);
    return result;
  }
  GRADSTEP_INLINE void keep(int k, P value) const {
    kept_[k] = value;
    isKept_[k] = true;
  }

  const Slot& slot_;
  const size_t at_;
  const typename V::Vector flip_;
  mutable P kept_[kMaxStates + 1];  // the states, then the parameter
  mutable bool isKept_[kMaxStates + 1] = {};
};

// Steps whole vectors from `i` on; ends at the first that is in doubt, or where none is left. A
// function of its own, without a call: across one, engines keep nothing in registers.
template <class V, class Rule, int variant>
__attribute__((noinline)) size_t driveSure(const typename Rule::Scalars& scalars, float sign,
                                           const Slot& slot, size_t i, size_t length) {
  const auto s = scalars;
  const Slot here = slot;
  const auto flip = V::broadcast(sign);
  for (; i < length; i += V::kLanes) {
    const CheckedBlock<V> block(here, i, flip);
    Rule::template update<variant>(s, block);
    if (!block.commit()) break;
  }
  return i;
}

template <class V, class Rule, int variant>
void driveChecked(const void* scalars, float sign, const Slot* slot, const Slot*, size_t,
                  size_t length) {
  using Exact = typename V::Exact;
  const auto& s = *static_cast<const typename Rule::Scalars*>(scalars);
  for (size_t i = 0;; i += V::kLanes) {
    i = driveSure<V, Rule, variant>(s, sign, *slot, i, length);
    if (i >= length) break;
    const auto all = Exact::firstLanes(V::kLanes);
    const Block<Exact, 1, false> block(*slot, i, Exact::broadcast(sign), all);
    Rule::template update<variant>(s, block);
  }
}

template <class V>
void checkedFmaKernel(const float* a, const float* b, const float* c, float* out, size_t count) {
  size_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) {
    const auto sum = V::fma(V::load(a + i), V::load(b + i), V::load(c + i));
    V::store(out + i, sum);
    if (V::isDoubtful(sum)) fmaKernel<typename V::Exact>(a + i, b + i, c + i, out + i, V::kLanes);
  }
  fmaKernel<typename V::Exact>(a + i, b + i, c + i, out + i, count - i);
}

template <class V>
struct CheckedDriver {
  template <class Rule, int variant>
  static constexpr Kernel kKernel = driveChecked<V, Rule, variant>;
};

template <class V, class... Rules>
constexpr KernelTable checkedKernelTable(const char* name, RuleList<Rules...>) {
  return {name,
          {kRuleKernels<CheckedDriver<V>, Rules>.kernels...},
          {},
          treatKernel<typename V::Plain>,
          checkedFmaKernel<V>,
          Reductions<typename V::Plain>::kKernels};
}

}  // namespace gradstep
