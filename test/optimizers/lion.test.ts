/** Lion against its paper in float64: no PyTorch has it, so no golden can. */

import { describe, expect, it } from 'vitest';
import { Lion, type LionOptions, Parameter } from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { bits, onEachBackend } from '../support/helpers.ts';

/**
 * Program 1 of Chen et al. 2023 (arXiv:2302.06675), on one number at a time, in float64 from
 * float32 options.
 */
class PaperLion {
  readonly weights: number[];
  readonly #momentum: number[];
  /** How near to zero the argument of a sign ever came, where it was not zero itself. */
  nearest = Number.POSITIVE_INFINITY;

  constructor(weights: Iterable<number>) {
    this.weights = [...weights];
    this.#momentum = this.weights.map(() => 0);
  }

  step(gradients: ArrayLike<number>, options: Required<LionOptions>): void {
    const { lr, betas, weightDecay, maximize } = options;
    for (const [i, weight] of this.weights.entries()) {
      const gradient = maximize ? -gradients[i]! : gradients[i]!;
      const momentum = this.#momentum[i]!;
      const interpolated = betas[0] * momentum + (1 - betas[0]) * gradient;
      if (interpolated !== 0) this.nearest = Math.min(this.nearest, Math.abs(interpolated));
      this.weights[i] = weight - lr * (Math.sign(interpolated) + weightDecay * weight);
      this.#momentum[i] = betas[1] * momentum + (1 - betas[1]) * gradient;
    }
  }

  get momentum(): readonly number[] {
    return this.#momentum;
  }
}

const options: LionOptions[] = [
  {},
  { lr: 0.01 },
  { lr: 3e-3, weightDecay: 0.1 },
  { lr: 0.01, maximize: true },
  { lr: 0.02, weightDecay: 0.5, maximize: true },
  { lr: 0.01, betas: [0.95, 0.98], weightDecay: 0.01 },
  { lr: 0.01, betas: [0, 0] },
  { lr: 0.01, betas: [0.3, 0.999] },
];

const STEPS = 40;

function start(length: number): Parameter {
  const parameter = new Parameter(new Float32Array(length));
  fill(parameter.data, 'normal', 1, 0, length);
  parameter.ensureGrad();
  return parameter;
}

onEachBackend(() => {
  describe.each(options)('%j', (given) => {
    it.each([1, 15, 70])('does what the paper says, %d values', (length) => {
      const parameter = start(length);
      const paper = new PaperLion(parameter.data);
      const optimizer = new Lion([parameter], given);
      const group = optimizer.paramGroups[0]! as Required<LionOptions>;
      for (let t = 1; t <= STEPS; t++) {
        fill(parameter.grad!, 'normal', 1, t, length);
        if (t > 2) parameter.grad![0] = 0; // momentum alone must decide
        paper.step(parameter.grad!, group);
        optimizer.step();
      }
      // No sign was in doubt, so rounding is all that may differ: below one unit a step.
      expect(paper.nearest).toBeGreaterThan(2 ** -22);
      const { expAvg } = optimizer.state.get(parameter)!;
      for (let i = 0; i < length; i++) {
        const close = (received: number, expected: number) =>
          expect(Math.abs(received - expected)).toBeLessThan(STEPS * 2 ** -24 * 2);
        close(parameter.data[i]!, paper.weights[i]!);
        close(expAvg[i]!, paper.momentum[i]!);
      }
    });
  });

  it('leaves alone what never had a gradient, but for its decay', () => {
    const [w, v] = [start(5), start(5)];
    const before = bits(w.data);
    new Lion([w], { lr: 0.5 }).step();
    expect(bits(w.data)).toEqual(before);
    const expected = bits(v.data.map((x) => x * 0.75));
    new Lion([v], { lr: 0.5, weightDecay: 0.5 }).step();
    expect(bits(v.data)).toEqual(expected);
  });

  it('sees the signs of gradients alone: scaling all of them changes no parameter', () => {
    const [w, v] = [start(70), start(70)];
    const [one, other] = [new Lion([w], { lr: 0.01 }), new Lion([v], { lr: 0.01 })];
    for (let t = 1; t <= STEPS; t++) {
      fill(w.grad!, 'normal', 2, t, 0);
      v.grad!.set(w.grad!.map((x) => x * 2 ** 20));
      one.step();
      other.step();
    }
    expect(bits(v.data)).toEqual(bits(w.data));
  });
});
