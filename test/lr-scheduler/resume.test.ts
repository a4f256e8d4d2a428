/** A resumed run equals the uninterrupted one at every step, for random compositions. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GradstepError, type SchedulerState } from '../../lib/index.ts';
import {
  type AnyOptimizer,
  build,
  METRICS,
  optimizerOf,
  type Row,
  rowOf,
  type Scenario,
  type SchedulerCase,
} from './scenarios.ts';

const epochs = fc.integer({ min: 1, max: 12 });
const factor = fc.double({ min: 0.05, max: 0.95, noNaN: true });
const lr = fc.double({ min: 1e-4, max: 0.5, noNaN: true });

const kind = <T extends object>(name: string, options: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(options).map((values): SchedulerCase => [name, values as Record<string, unknown>]);

/** Schedulers without others inside. */
const leaf: fc.Arbitrary<SchedulerCase> = fc.oneof(
  kind('LambdaLR', { lr_lambda: fc.constantFrom('named:decay', 'named:sine') }),
  kind('MultiplicativeLR', { lr_lambda: fc.constant('named:nearly_one') }),
  kind('StepLR', { step_size: epochs, gamma: factor }),
  kind('MultiStepLR', { milestones: fc.array(epochs, { maxLength: 4 }), gamma: factor }),
  kind('ConstantLR', { factor, total_iters: epochs }),
  kind('LinearLR', { start_factor: factor, end_factor: factor, total_iters: epochs }),
  kind('ExponentialLR', { gamma: factor }),
  kind('PolynomialLR', {
    total_iters: epochs,
    power: fc.double({ min: 0.5, max: 3, noNaN: true }),
  }),
  kind('CosineAnnealingLR', { T_max: epochs, eta_min: fc.constantFrom(0, 1e-4) }),
  kind('CosineAnnealingWarmRestarts', { T_0: epochs, T_mult: fc.integer({ min: 1, max: 3 }) }),
  kind('CyclicLR', {
    base_lr: lr,
    max_lr: lr,
    step_size_up: epochs,
    mode: fc.constantFrom('triangular', 'triangular2', 'exp_range'),
    gamma: factor,
    base_momentum: fc.constant(0.5),
  }),
  kind('OneCycleLR', {
    max_lr: lr,
    total_steps: fc.integer({ min: 60, max: 90 }),
    three_phase: fc.boolean(),
    pct_start: factor.map((f) => f / 2),
  }),
  kind('ReduceLROnPlateau', { factor, patience: fc.integer({ min: 0, max: 4 }) }),
  kind('SWALR', { swa_lr: lr, anneal_epochs: epochs }),
);

const { tree } = fc.letrec<{ tree: SchedulerCase; sequence: SchedulerCase; chain: SchedulerCase }>(
  (tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      tie('sequence'),
      tie('chain'),
    ),
    sequence: fc
      .array(fc.tuple(tie('tree'), epochs), { minLength: 1, maxLength: 4 })
      .map((parts): SchedulerCase => {
        let at = 0;
        const milestones = parts.slice(1).map(([, length]) => {
          at += length;
          return at;
        });
        return ['SequentialLR', { schedulers: parts.map(([part]) => part), milestones }];
      }),
    chain: fc
      .array(tie('tree'), { minLength: 1, maxLength: 3 })
      .map((schedulers): SchedulerCase => ['ChainedScheduler', { schedulers }]),
  }),
);

const STEPS = 45;

const SETUPS: readonly Pick<Scenario, 'optimizer' | 'groups'>[] = [
  {
    optimizer: 'SGD',
    groups: [
      { lr: 0.1, momentum: 0.9 },
      { lr: 0.03, momentum: 0.5 },
    ],
  },
  { optimizer: 'Adam', groups: [{ lr: 0.01, betas: [0.9, 0.99] }] },
];

/** The metric is always there; who does not need it takes it for nothing but a plateau's. */
const metric = METRICS.noisy;

/** Sets the lr of the first group after a step or, with `added`, adds a group with that lr. */
interface Edit {
  readonly at: number;
  readonly lr: number;
  readonly added: boolean;
}

type Growing = AnyOptimizer & { addParamGroup(group: object): void };

function apply(optimizer: Growing, { lr, added }: Edit): void {
  if (added) optimizer.addParamGroup({ params: [], lr });
  else optimizer.paramGroups[0]!.lr = lr;
}

function steps(
  optimizer: Growing,
  scheduler: { step(metric?: number): void },
  takesMetric: boolean,
  [from, to]: readonly [number, number],
  edits: readonly Edit[],
) {
  const rows = [];
  for (let i = from; i < to; i++) {
    optimizer.step();
    rows.push(attempt(() => (takesMetric ? scheduler.step(metric(i)) : scheduler.step())));
    for (const edit of edits) if (edit.at === i) apply(optimizer, edit);
    rows.push(rowOf(optimizer));
  }
  return rows;
}

/** The code of what was thrown: odd compositions may ask for an lr below 0. */
function attempt(step: () => void): unknown {
  try {
    step();
    return 'done';
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    return error.code;
  }
}

/** A leaf's `step(number)` means an epoch, so only composites and the plateau get the metric. */
const takesMetric = ([name]: SchedulerCase) =>
  ['SequentialLR', 'ChainedScheduler', 'ReduceLROnPlateau'].includes(name);

const run = { setup: fc.constantFrom(...SETUPS), scheduler: tree };
const cut = fc.integer({ min: 0, max: STEPS });
const edit = fc.record({ at: fc.integer({ min: 0, max: STEPS }), lr, added: fc.boolean() });
const edits = fc.array(edit, { maxLength: 3 });

describe('resumed = uninterrupted', () => {
  test('random trees of schedulers, cut anywhere, edited anywhere, loaded in either order', () => {
    const property = fc.property(
      fc.record({ ...run, cut, edits, optimizerFirst: fc.boolean() }),
      ({ setup, scheduler, cut, edits, optimizerFirst }) => {
        const whole = optimizerOf(setup);
        const first = build(whole, scheduler);
        const begin = steps(whole, first, takesMetric(scheduler), [0, cut], edits);
        const state = JSON.stringify(first.stateDict());
        const lrs = whole.paramGroups.map((group) => ({ ...group }));
        const rest = steps(whole, first, takesMetric(scheduler), [cut, STEPS], edits);

        const resumed = optimizerOf(setup);
        for (const one of edits) if (one.added && one.at < cut) apply(resumed, one);
        const load = () => {
          for (const [g, group] of resumed.paramGroups.entries())
            Object.assign(group, only(lrs[g]!));
        };
        if (optimizerFirst) load();
        const second = build(resumed, scheduler);
        if (!optimizerFirst) load();
        second.loadStateDict(JSON.parse(state) as SchedulerState);
        if (begin.length > 0) expect(rowOf(resumed)).toEqual(begin.at(-1));
        expect(second.getLastLr()).toEqual((JSON.parse(state) as SchedulerState).lastLr);
        expect(steps(resumed, second, takesMetric(scheduler), [cut, STEPS], edits)).toEqual(rest);
        expect(JSON.stringify(second.stateDict())).toBe(JSON.stringify(first.stateDict()));
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  test('the state alone is enough: the optimizer need not have been loaded', () => {
    const property = fc.property(fc.record({ ...run, cut }), ({ setup, scheduler, cut }) => {
      const whole = optimizerOf(setup);
      const first = build(whole, scheduler);
      steps(whole, first, takesMetric(scheduler), [0, cut], []);
      const resumed = optimizerOf(setup);
      const second = build(resumed, scheduler);
      second.loadStateDict(first.stateDict());
      const rest = [cut, STEPS] as const;
      expect(steps(resumed, second, takesMetric(scheduler), rest, [])).toEqual(
        steps(whole, first, takesMetric(scheduler), rest, []),
      );
    });
    fc.assert(property, { numRuns: 150 });
  });

  test('a state is not aliased by later steps', () => {
    fc.assert(
      fc.property(fc.record(run), ({ setup, scheduler }) => {
        const optimizer = optimizerOf(setup);
        const made = build(optimizer, scheduler);
        const state = made.stateDict();
        const text = JSON.stringify(state);
        steps(optimizer, made, takesMetric(scheduler), [0, 9], []);
        expect(JSON.stringify(state)).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  test('a nested sequence is the same as one that is not nested', () => {
    const sequences = fc.tuple(
      fc.array(leaf, { minLength: 4, maxLength: 4 }),
      epochs,
      epochs,
      epochs,
    );
    const property = fc.property(sequences, ([parts, a, b, c]) => {
      const [p, q, r, s] = parts as [SchedulerCase, SchedulerCase, SchedulerCase, SchedulerCase];
      const flat: SchedulerCase = [
        'SequentialLR',
        { schedulers: [p, q, r, s], milestones: [a, a + b, a + b + c] },
      ];
      const pair = (x: SchedulerCase, y: SchedulerCase, at: number): SchedulerCase => [
        'SequentialLR',
        { schedulers: [x, y], milestones: [at] },
      ];
      const nested = pair(pair(p, q, a), pair(r, s, c), a + b);
      const setup = SETUPS[0]!;
      const rows = [flat, nested].map((one) => {
        const optimizer = optimizerOf(setup);
        const rows = steps(optimizer, build(optimizer, one), true, [0, STEPS], []);
        return rows.map(lrs);
      });
      expect(rows[1]).toEqual(rows[0]);
    });
    fc.assert(property, { numRuns: 200 });
  });
});

/** Without momentum, which stays as the scheduler that was made last has left it. */
const lrs = (row: unknown) => (Array.isArray(row) ? (row as Row).map(([lr]) => lr) : row);

/** What a checkpoint of the optimizer would bring back. */
function only(group: object): object {
  const { lr, momentum, betas } = group as { lr: number; momentum?: number; betas?: unknown };
  return { lr, ...(momentum !== undefined && { momentum }), ...(betas !== undefined && { betas }) };
}
