/**
 * Cases of PyTorch's test/test_optim.py about the right direction, for every optimizer:
 * test_forloop_goes_right_direction, test_param_group_with_lrscheduler_goes_right_direction and
 * test_param_groups_weight_decay.
 */

import { describe, expect, it } from 'vitest';
import {
  ExponentialLR,
  Parameter,
  ReduceLROnPlateau,
  type SchedulableOptimizer,
  StepLR,
} from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { bits, forEachOptimizer } from '../support/helpers.ts';
import type { OptimizerCase } from './optimizer-cases.ts';

const [OUTPUTS, INPUTS] = [10, 5];
const STEPS = 20;

const filled = (length: number, number: number) => {
  const values = new Float32Array(length);
  fill(values, 'normal', 36, 0, number);
  return values;
};

/** An array in the middle of a larger one, and on no border of 8 bytes. */
const inside = (values: Float32Array) => {
  const array = new Float32Array(values.length + 7).subarray(3, values.length + 3);
  array.set(values);
  return array;
};

/** The loss is the sum of (W x + b)². */
class LeastSquares {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #input = filled(INPUTS, 2);

  constructor(place: (values: Float32Array) => Float32Array) {
    this.weight = new Parameter(place(filled(OUTPUTS * INPUTS, 0)), { shape: [OUTPUTS, INPUTS] });
    this.bias = new Parameter(place(filled(OUTPUTS, 1)));
  }

  #residuals(): number[] {
    return Array.from(this.bias.data, (b, row) =>
      this.#input.reduce((sum, x, i) => sum + this.weight.data[row * INPUTS + i]! * x, b),
    );
  }

  loss(): number {
    return this.#residuals().reduce((sum, r) => sum + r * r, 0);
  }

  /** Sets the gradients; the loss that they are of. */
  readonly backward = (): number => {
    const residuals = this.#residuals();
    this.bias.ensureGrad().set(residuals.map((r) => 2 * r));
    const input = [...this.#input];
    this.weight.ensureGrad().set(residuals.flatMap((r) => input.map((x) => 2 * r * x)));
    return this.loss();
  };
}

type Schedulers = (optimizer: SchedulableOptimizer) => { step(loss: number): void }[];

/** A scheduler that takes no metric. */
const plain = (scheduler: { step(): void }) => ({ step: () => scheduler.step() });

const schedulers: Record<string, Schedulers> = {
  'no scheduler': () => [],
  StepLR: (o) => [plain(new StepLR(o, { stepSize: 10, gamma: 0.9 }))],
  ReduceLROnPlateau: (o) => [new ReduceLROnPlateau(o)],
  'three schedulers': (o) => [
    plain(new StepLR(o, { stepSize: 10, gamma: 0.9 })),
    plain(new ExponentialLR(o, { gamma: 0.99 })),
    new ReduceLROnPlateau(o, { patience: 2 }),
  ],
};

function train(
  problem: LeastSquares,
  optimizer: ReturnType<OptimizerCase['make']>,
  make: Schedulers,
): void {
  const made = make(optimizer as never);
  for (let step = 0; step < STEPS; step++) {
    const loss = optimizer.step(problem.backward) as number;
    for (const scheduler of made) scheduler.step(loss);
  }
}

/** The table's options, one at a time; not the lr, which is far too high on purpose. */
const optionsOf = ({ withState, other }: OptimizerCase): object[] => {
  const { lr, maximize, ...rest } = other;
  return [{}, withState, ...Object.entries(rest).map(([key, value]) => ({ [key]: value }))];
};

forEachOptimizer((row) => {
  describe.each(Object.entries(schedulers))('%s', (_name, make) => {
    it.each([
      ['down', 'arrays of their own', { maximize: false }],
      ['up', 'arrays of their own', { maximize: true }],
      ['down', 'arrays inside others', { maximize: false }],
      ['up', 'arrays inside others', { maximize: true }],
    ])('goes %s with %s', (_way, memory, way) => {
      for (const options of optionsOf(row)) {
        const problem = new LeastSquares(memory === 'arrays inside others' ? inside : (v) => v);
        const before = problem.loss();
        train(
          problem,
          row.make([problem.weight, problem.bias], { ...row.steady, ...options, ...way }),
          make,
        );
        if (way.maximize) expect(problem.loss(), JSON.stringify(options)).toBeGreaterThan(before);
        else expect(problem.loss(), JSON.stringify(options)).toBeLessThan(before);
      }
    });

    it('goes down in two groups, each with its own lr', () => {
      const problem = new LeastSquares((values) => values);
      const before = problem.loss();
      const groups = [{ params: [problem.weight] }, { params: [problem.bias], lr: 0.01 }];
      const optimizer = row.make(groups, { ...row.steady, lr: 1e-3 });
      train(problem, optimizer, make);
      expect(problem.loss()).toBeLessThan(before);
      const [first, second] = optimizer.paramGroups as unknown as { lr: number }[];
      expect(second!.lr / first!.lr).toBeCloseTo(10, 10); // schedulers keep the ratio
    });
  });

  if (!('weightDecay' in row.defaults)) return;

  it('decays the weights alone where the group of the bias has no decay', () => {
    const [problem, plainly] = [new LeastSquares((v) => v), new LeastSquares((v) => v)];
    const before = problem.loss();
    const groups = [{ params: problem.weight, weightDecay: 0.5 }, { params: problem.bias }];
    const optimizer = row.make(groups, { weightDecay: 0 });
    const alone = row.make([plainly.weight, plainly.bias], { weightDecay: 0 });
    plainly.backward();
    problem.backward();
    alone.step();
    optimizer.step();
    expect(bits(problem.bias.data)).toEqual(bits(plainly.bias.data));
    expect(bits(problem.weight.data)).not.toEqual(bits(plainly.weight.data));
    train(problem, optimizer, () => []);
    expect(problem.loss()).toBeLessThan(before);
  });
});
