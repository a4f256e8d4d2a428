/** What the compiler accepts of clipping and loss scaling; checked by tsc, never run. */

import { expectTypeOf, it } from 'vitest';
import {
  Adam,
  clipGradNorm,
  clipGradValue,
  GradScaler,
  type GradScalerState,
  getTotalNorm,
  Parameter,
  SGD,
} from '../../lib/index.ts';

const w = new Parameter([1]);

it('takes parameters in every form, and refuses wrong options', () => {
  expectTypeOf(clipGradNorm(w, 1)).toBeNumber();
  clipGradNorm(new Set([w]), 1, { normType: 'inf' });
  clipGradNorm(Object.entries({ w }), 1, { normType: 3, errorIfNonfinite: true });
  clipGradValue(
    new Adam([w]).paramGroups.flatMap(({ params }) => params),
    1,
  );
  // @ts-expect-error: no order of a norm
  getTotalNorm([w], { normType: 'fro' });
  // @ts-expect-error: misspelt
  getTotalNorm([w], { errorIfNonFinite: true });
  // @ts-expect-error: gradients themselves
  getTotalNorm([w.ensureGrad()]);
});

it('scales for any optimizer', () => {
  const scaler = new GradScaler({ initScale: 2 });
  expectTypeOf(scaler.step(new SGD([w]))).toEqualTypeOf<undefined>();
  expectTypeOf(scaler.step(new Adam([w]), () => 1)).toBeNumber();
  expectTypeOf(scaler.stateDict()).toEqualTypeOf<GradScalerState | Record<string, never>>();
  // @ts-expect-error: not an optimizer
  scaler.unscale([w]);
  // @ts-expect-error: torch's spelling
  new GradScaler({ init_scale: 2 });
});
