// What a rule sees of a slot: one pack of each of its arrays. Included inside a target region.
#pragma once

#include <stddef.h>

#include "../simd/pack.h"
#include "slot.h"

namespace gradstep {

// Where a pack lies in a slot: what a rule reads and writes. With kPartial only the first lanes
// are there, and nothing beyond them is touched.
template <class V, int U, bool kPartial>
class Block {
 public:
  using P = Pack<V, U>;

  GRADSTEP_INLINE Block(const Slot& slot, size_t at, typename V::Vector flip, typename V::Mask mask)
      : slot_(slot), at_(at), flip_(flip), mask_(mask) {}

  GRADSTEP_INLINE P param() const { return load(slot_.data); }
  GRADSTEP_INLINE P grad() const {
    P grad = load(slot_.grad);
    for (int j = 0; j < U; j++) grad.v[j] = V::exclusiveOr(grad.v[j], flip_);
    return grad;
  }
  GRADSTEP_INLINE P state(int k) const { return load(slot_.state[k]); }
  GRADSTEP_INLINE void param(P value) const { store(slot_.data, value); }
  GRADSTEP_INLINE void state(int k, P value) const { store(slot_.state[k], value); }

 private:
  GRADSTEP_INLINE P load(const float* array) const {
    P result;
    for (int j = 0; j < U; j++) {
      const float* from = array + at_ + j * V::kLanes;
      result.v[j] = kPartial ? V::load(from, mask_) : V::load(from);
    }
    return result;
  }

  GRADSTEP_INLINE void store(float* array, P value) const {
    for (int j = 0; j < U; j++) {
      float* to = array + at_ + j * V::kLanes;
      if (kPartial)
        V::store(to, value.v[j], mask_);
      else
        V::store(to, value.v[j]);
    }
  }

  const Slot& slot_;
  const size_t at_;
  const typename V::Vector flip_;
  const typename V::Mask mask_;
};

}  // namespace gradstep
