/** Parameters with gradients, laid out one way or the other, and an optimizer over them. */

import {
  AdamW,
  type Optimizer,
  Parameter,
  ParameterArena,
  type ParameterLike,
  SGD,
} from 'gradstep';
import type { Floats } from './limits.ts';

export type OptimizerName = 'AdamW' | 'SGD';

export const OPTIMIZERS: readonly OptimizerName[] = ['AdamW', 'SGD'];

/** `arena`: one buffer, aligned. `separate`: arrays as JavaScript allocates them. */
export type Layout = 'arena' | 'separate';

/** Values around ±0.01, so that no state ever becomes subnormal, which would be slow. */
export function fillGradient(grad: Floats): void {
  const block = Math.min(grad.length, 1 << 14);
  for (let i = 0; i < block; i++) {
    grad[i] = (((i * 2654435761) % 1024) / 1024 + 0.5) * (i % 2 ? 0.01 : -0.01);
  }
  for (let done = block; done < grad.length; done *= 2) {
    grad.copyWithin(done, 0, Math.min(done, grad.length - done));
  }
}

export function makeParameters(lengths: readonly number[], layout: Layout): ParameterLike[] {
  const parameters =
    layout === 'arena'
      ? new ParameterArena(lengths.map((length) => [length])).parameters
      : lengths.map((length) => Parameter.zeros([length]));
  for (const parameter of parameters) fillGradient(parameter.ensureGrad());
  return [...parameters];
}

export interface Group {
  readonly params: readonly ParameterLike[];
  readonly lr: number;
}

/** Every competitor runs with these: torch's defaults but for the momentum. */
export const SETTINGS = {
  AdamW: { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 1e-2 },
  SGD: { lr: 1e-3, momentum: 0.9 },
} as const;

export function makeOptimizer(
  name: OptimizerName,
  groups: readonly Group[] | readonly ParameterLike[],
  more: object = {},
): Optimizer {
  const options = { ...SETTINGS[name], ...more };
  const given = groups as readonly ParameterLike[];
  return name === 'AdamW'
    ? new AdamW(given, options as ConstructorParameters<typeof AdamW>[1])
    : new SGD(given, options as ConstructorParameters<typeof SGD>[1]);
}

/** The arrays that a step of this one parameter touches: data, gradient, states. */
export function arraysOf(optimizer: Optimizer, parameter: ParameterLike): Floats[] {
  if (optimizer.state.get(parameter) === undefined) optimizer.step();
  const state = optimizer.state.get(parameter) as Record<string, unknown>;
  const states = Object.values(state).filter((value) => value instanceof Float32Array);
  return [parameter.data, parameter.grad!, ...states];
}
