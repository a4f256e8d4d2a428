// Why a call changed nothing.
#pragma once

#include <cstdint>

namespace gradstep {

// `slot` and `other` are slot numbers; `other` may be MemoryMap::kState.
struct Failure {
  enum Kind {
    kNone,
    kDataOverlap,
    kGradOverlap,
    kOverflow,
    kMissingState,
    kBadCount,
    kNonFinite,  // a gradient is infinite or NaN, and the options call that an error
    kBusy,       // an asynchronous step is working on the memory
    kMemory,     // what the step needs beside its arrays could not be allocated
    kSkips,      // too many steps in a row were skipped
  };
  Kind kind = kNone;
  int64_t slot = -1;
  int64_t other = -1;
};

}  // namespace gradstep
