// All update rules. A new one is one line here, beside its header.
#pragma once

#include "adam.h"
#include "sgd.h"

namespace gradstep {

template <class... Rules>
struct RuleList {};

using AllRules = RuleList<Sgd, Adam, AdamW>;

}  // namespace gradstep
