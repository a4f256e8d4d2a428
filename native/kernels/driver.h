// The loop around every rule, and the kernel table of one instruction set. Included inside a
// target region by each ISA file, after its vector type.
#pragma once

#include "../rules/rules.h"
#include "block.h"
#include "kernel_table.h"
#include "reduce.h"
#include "whole.h"

namespace gradstep {

// How many elements the address is before a vector's alignment.
template <class V>
GRADSTEP_INLINE size_t misalignment(const float* address) {
  return (0 - reinterpret_cast<uintptr_t>(address) / sizeof(float)) % V::kLanes;
}

// What works on one vector at a time wants small code, and gains nothing from cache lines.
template <class V, class Rule, int variant>
void drive(const void* scalars, float sign, const Slot* slot, const Slot* end, size_t from,
           size_t to) {
  // Copies: the loop writes floats, and could otherwise not know that these stay as they are.
  const auto s = *static_cast<const typename Rule::Scalars*>(scalars);
  const auto flip = V::broadcast(sign);
  const auto all = V::firstLanes(V::kLanes);
  for (; slot != end; ++slot, from = 0) {
    const Slot here = *slot;
    const size_t length = slot + 1 == end ? to : here.length;
    size_t i = from;
    if constexpr (V::kUnroll > 1) {
      const size_t head = misalignment<V>(here.data + i);
      if (head > 0 && length - i >= kLongArray) {
        Rule::template update<variant>(s, Block<V, 1, true>(here, i, flip, V::firstLanes(head)));
        i += head;
      }
      for (; i + V::kUnroll * V::kLanes <= length; i += V::kUnroll * V::kLanes) {
        Rule::template update<variant>(s, Block<V, V::kUnroll, false>(here, i, flip, all));
      }
    }
    for (; i + V::kLanes <= length; i += V::kLanes) {
      Rule::template update<variant>(s, Block<V, 1, false>(here, i, flip, all));
    }
    if (i < length) {
      Rule::template update<variant>(s,
                                     Block<V, 1, true>(here, i, flip, V::firstLanes(length - i)));
    }
  }
}

template <class V>
void treatKernel(const GradientFactors& factors, const float* grad, float* out, size_t count) {
  using P = Pack<V, 1>;
  for (size_t i = 0; i < count; i += V::kLanes) {
    const size_t left = count - i < V::kLanes ? count - i : V::kLanes;
    const auto mask = V::firstLanes(left);
    P value;
    value.v[0] = V::load(grad + i, mask);
    value = clamp(value * factors.scale, -factors.bound, factors.bound);
    V::store(out + i, (value * factors.coefficient).v[0], mask);
  }
}

template <class V>
void fmaKernel(const float* a, const float* b, const float* c, float* out, size_t count) {
  for (size_t i = 0; i < count; i += V::kLanes) {
    const auto mask = V::firstLanes(count - i < V::kLanes ? count - i : V::kLanes);
    Pack<V, 1> x, y, z;
    x.v[0] = V::load(a + i, mask);
    y.v[0] = V::load(b + i, mask);
    z.v[0] = V::load(c + i, mask);
    V::store(out + i, fma(x, y, z).v[0], mask);
  }
}

// A rule that sees shapes steps a slot by itself.
template <class V, class Rule>
void driveSlot(const void* scalars, float sign, const Slot& slot, float* workspace,
               const Team& team) {
  const auto s = *static_cast<const typename Rule::Scalars*>(scalars);
  Rule::step(s, Whole<V>(slot, sign, workspace, team));
}

template <class V>
struct Driver {
  template <class Rule, int variant>
  static constexpr Kernel kKernel = drive<V, Rule, variant>;
};

// By variant; a rule that sees shapes has none.
template <class Driver, class Rule, bool = kIsWhole<Rule>>
struct RuleKernels {
  static constexpr const Kernel* kernels = nullptr;
};

template <class Driver, class Rule>
struct RuleKernels<Driver, Rule, false> {
  Kernel kernels[Rule::kVariants] = {};

  constexpr RuleKernels() { fill<0>(); }

 private:
  template <int variant>
  constexpr void fill() {
    kernels[variant] = Driver::template kKernel<Rule, variant>;
    if constexpr (variant + 1 < Rule::kVariants) fill<variant + 1>();
  }
};

template <class Driver, class Rule>
constexpr RuleKernels<Driver, Rule> kRuleKernels;

template <class V, class Rule>
constexpr WholeKernel wholeKernel() {
  if constexpr (kIsWhole<Rule>) return driveSlot<V, Rule>;
  return nullptr;
}

template <class V, class... Rules>
constexpr KernelTable kernelTable(const char* name, RuleList<Rules...>) {
  static_assert(sizeof...(Rules) <= kMaxRules, "kMaxRules is too small");
  static_assert(kTreatedBlock % (V::kUnroll * V::kLanes) == 0, "a block has a rest");
  return {name,
          {kRuleKernels<Driver<V>, Rules>.kernels...},
          {wholeKernel<V, Rules>()...},
          treatKernel<V>,
          fmaKernel<V>,
          Reductions<V>::kKernels};
}

}  // namespace gradstep
