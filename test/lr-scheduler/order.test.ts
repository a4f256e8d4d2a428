/** Schedulers and the steps of their optimizer: the warning, and optimizers that are combined. */

import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Adam,
  ChainedScheduler,
  CosineAnnealingLR,
  CyclicLR,
  combine,
  cosine,
  ExponentialLR,
  getScheduler,
  OneCycleLR,
  ReduceLROnPlateau,
  Rprop,
  SequentialLR,
  SGD,
  schedule,
  stepAll,
} from '../../lib/index.ts';
import { warn } from '../../lib/support/warn.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';

// The warning itself is given once a process: test/support/warn.test.ts.
vi.mock('../../lib/support/warn.ts', () => ({ warn: vi.fn(), shareWarnings: vi.fn() }));

describe('a scheduler that steps before its optimizer', () => {
  const warnings = vi.mocked(warn);
  beforeEach(() => void warnings.mockClear());

  it('warns once, in torch’s words', () => {
    const scheduler = new ExponentialLR(new SGD([parameter()]), { gamma: 0.5 });
    expect(warnings).not.toHaveBeenCalled();
    for (let t = 0; t < 3; t++) scheduler.step();
    expect(warnings.mock.calls).toEqual([
      [
        'WARN_SCHEDULER_ORDER',
        expect.stringContaining('Detected call of `lr_scheduler.step()` before `optimizer.step()`'),
      ],
    ]);
  });

  it('warns when it is resumed', () => {
    const optimizer = new SGD([parameter()]);
    const options = { gamma: 0.5, lastEpoch: 10, initialLr: 1 };
    const scheduler = new ExponentialLR(optimizer, options);
    expect(warnings).not.toHaveBeenCalled();
    scheduler.step();
    expect(warnings).toHaveBeenCalledTimes(1);
    const sequence = new SequentialLR(optimizer, {
      schedulers: [scheduler],
      milestones: [],
      lastEpoch: 3,
    });
    sequence.step();
    expect(warnings).toHaveBeenCalledTimes(2);
  });

  it('warns once when it is made of others', () => {
    const o = new SGD([parameter()]);
    const parts = [0.5, 0.9].map((gamma) => new ExponentialLR(o, { gamma }));
    const scheduler = new ChainedScheduler(parts);
    scheduler.step();
    scheduler.step();
    expect(warnings).toHaveBeenCalledTimes(1);
  });

  it('is told from one that comes after it, however the optimizer was stepped', () => {
    const o = new SGD([parameter()]);
    const steps = [() => o.step(), () => combine([o]).step(), () => stepAll([o])];
    for (const step of steps) {
      const scheduler = new ExponentialLR(o, { gamma: 0.5 });
      step();
      scheduler.step();
      scheduler.step();
    }
    const both = combine([new SGD([parameter()]), new Adam([parameter()])]);
    const scheduler = new ExponentialLR(both, { gamma: 0.5 });
    both.step();
    scheduler.step();
    expect(warnings).not.toHaveBeenCalled();
    new ExponentialLR(combine([new SGD([])]), { gamma: 0.5 }).step();
    expect(warnings).toHaveBeenCalledTimes(1);
  });

  it('does not warn where a step has no order, or of what is no optimizer of ours', () => {
    new ReduceLROnPlateau(new SGD([parameter()])).step(1);
    const group = { params: [], lr: 1 };
    new ExponentialLR({ paramGroups: [group], defaults: {} }, { gamma: 0.5 }).step();
    expect(group.lr).toBe(0.5);
    expect(warnings).not.toHaveBeenCalled();
  });
});

onEachBackend(() => {
  describe('optimizers that are combined', () => {
    const make = () => {
      const [adam, sgd] = [
        new Adam([{ params: parameter(), name: 'head' }], { lr: 0.5 }),
        new SGD([{ params: parameter() }], { lr: 0.25, momentum: 0.5 }),
      ];
      return { adam, sgd, both: combine([adam, sgd]) };
    };
    const lrs = (o: { paramGroups: readonly { lr: number }[] }) =>
      o.paramGroups.map(({ lr }) => lr);

    it('are scheduled as one', () => {
      const { adam, sgd, both } = make();
      const scheduler = new CosineAnnealingLR(both, { TMax: 2 });
      both.step();
      scheduler.step();
      expect(lrs(adam)[0]).toBeCloseTo(0.25);
      expect(lrs(sgd)[0]).toBeCloseTo(0.125);
      sgd.addParamGroup({ params: parameter(), lr: 8 });
      scheduler.step();
      expect(scheduler.getLastLr()).toHaveLength(3);
      const state = JSON.parse(JSON.stringify(scheduler.stateDict()));
      scheduler.step();
      const after = lrs(both);
      scheduler.loadStateDict(state);
      scheduler.step();
      expect(lrs(both)).toEqual(after);
    });

    it('are scheduled group by group, over any option', () => {
      const { adam, sgd, both } = make();
      schedule(both, { lr: cosine({ from: 4, steps: 10 }) }, { groups: ['head'] });
      expect([lrs(adam), lrs(sgd)]).toEqual([[4], [0.25]]);
      schedule(both, { lr: cosine({ from: 2, steps: 10 }) }, { groups: [1] });
      expect([lrs(adam), lrs(sgd)]).toEqual([[4], [2]]);
    });

    it('have momentum cycled, each its own kind, where all have one', () => {
      const { adam, sgd, both } = make();
      new OneCycleLR(both, { maxLr: [1, 2], totalSteps: 10, baseMomentum: 0.8, maxMomentum: 0.9 });
      expect([adam.paramGroups[0]!.betas[0], sgd.paramGroups[0]!.momentum]).toEqual([0.9, 0.9]);
      const mixed = combine([new Adam([parameter()]), new Rprop([parameter()])]);
      expectError(
        () => new CyclicLR(mixed, { baseLr: 0.1, maxLr: 1 }),
        'ERR_INVALID_ARGUMENT',
        'must support momentum or beta1',
      );
    });

    it('have a schedule by name; one that needs their lr needs it to be the same', () => {
      const { both } = make();
      getScheduler('linear', both, { warmupSteps: 2, totalSteps: 4 });
      expect(lrs(both)).toEqual([0, 0]);
      const lengths = { warmupSteps: 0, totalSteps: 4 };
      expectError(
        () => getScheduler('cosine_with_min_lr', both, { ...lengths, minLr: 0.1 }),
        'ERR_INVALID_ARGUMENT',
        'Expected one default lr',
      );
      const same = combine([new SGD([parameter()], { lr: 1 }), new Adam([parameter()], { lr: 1 })]);
      getScheduler('polynomial', same, { warmupSteps: 0, totalSteps: 4 });
      expect(lrs(same)).toEqual([1, 1]);
    });
  });
});
