// What an optimizer does beside its rule, and what it says of its last step: structs of doubles
// that TypeScript lays out alike (lib/stepping/step-options.ts), as it does hyperparameters.
#pragma once

namespace gradstep {

struct StepOptions {
  double gradScale;    // multiplies every gradient
  double clipValue;    // clamps each to [-clipValue, clipValue]; infinity: no clamp
  double maxGradNorm;  // scales them so that their norm is at most this; negative: no clipping
  double normType;     // of which order that norm is
  double clipScope;    // ClipScope: of which gradients
  double onNonFinite;  // OnNonFinite: what to do about infinite and NaN gradients
  double maxConsecutiveSkips;
  double zeroGrad;        // whether the step leaves zeros in the gradients
  double flushDenormals;  // whether subnormal numbers are taken for zeros
  double numThreads;      // how many threads may work on a step; 0: as many as there are
};

enum ClipScope { kGlobal, kPerGroup, kPerParam };
enum OnNonFinite { kApply, kSkip, kError };

struct StepReport {
  double stepped;           // whether the last step changed anything: 0 if it was skipped
  double gradNorm;          // over all gradients, before clipping; NaN if nobody asked
  double nonFinite;         // how many gradients were infinite or NaN; NaN if nobody asked
  double skipped;           // steps skipped so far
  double consecutiveSkips;  // of those, the last ones in a row
};

}  // namespace gradstep
