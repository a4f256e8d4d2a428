/** Gradients of any optimizer, or of none: norms, clipping, loss scaling. */

export {
  clipGradNorm,
  clipGradsWithNorm,
  clipGradValue,
  getTotalNorm,
  type NormOptions,
} from './clip.ts';
export { GradScaler } from './grad-scaler.ts';
export type { GradScalerOptions, GradScalerState } from './grad-scaler-options.ts';
