// All update rules. A new one is one line here, beside its header.
#pragma once

#include "adadelta.h"
#include "adagrad.h"
#include "adam.h"
#include "adamax.h"
#include "asgd.h"
#include "average.h"
#include "lion.h"
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

using AllRules = RuleList<Sgd, Adam, AdamW, RmsProp, Adagrad, Adadelta, Adamax, RAdam, Rprop, Lion,
                          NAdam, Asgd, Ema, Swa, TfjsSgd, TfjsMomentum, TfjsAdam, TfjsAdamax,
                          TfjsRmsProp, TfjsAdagrad, TfjsAdadelta>;

}  // namespace gradstep
