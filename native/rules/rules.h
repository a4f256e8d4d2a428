// All update rules. A new one is one line here, beside its header.
#pragma once

#include "adadelta.h"
#include "adafactor.h"
#include "adagrad.h"
#include "adam.h"
#include "adamax.h"
#include "adan.h"
#include "ademamix.h"
#include "asgd.h"
#include "average.h"
#include "lamb.h"
#include "lars.h"
#include "lion.h"
#include "muon.h"
#include "nadam.h"
#include "radam.h"
#include "rmsprop.h"
#include "rprop.h"
#include "sgd.h"
#include "tfjs_adadelta.h"
#include "tfjs_adagrad.h"
#include "tfjs_adam.h"
#include "tfjs_adamax.h"
#include "tfjs_rmsprop.h"
#include "tfjs_sgd.h"

namespace gradstep {

template <class... Rules>
struct RuleList {};

// Whether a rule sees shapes, and takes parameters whole.
template <class Rule, class = void>
constexpr bool kIsWhole = false;
template <class Rule>
constexpr bool kIsWhole<Rule, decltype(void(Rule::kWhole))> = true;

using AllRules =
    RuleList<Sgd, Adam, AdamW, RmsProp, Adagrad, Adadelta, Adamax, RAdam, Rprop, Lion, NAdam, Asgd,
             Ema, Swa, TfjsSgd, TfjsMomentum, TfjsAdam, TfjsAdamax, TfjsRmsProp, TfjsAdagrad,
             TfjsAdadelta, Adafactor, Muon, Lamb, Lars, Adan, AdEmaMix>;

}  // namespace gradstep
