/** Everything of a run together: optimizers combined, a schedule, a scaler, averages, the model. */

import { afterAll, describe, expect, it } from 'vitest';
import {
  AdamW,
  backend,
  CosineAnnealingWarmRestarts,
  combine,
  cosine,
  EMA,
  ExponentialLR,
  GradScaler,
  isa,
  LambdaLR,
  LinearLR,
  linear,
  loadModelStateDict,
  modelStateDict,
  OneCycleLR,
  ParameterArena,
  ReduceLROnPlateau,
  SequentialLR,
  SGD,
  SWA,
  schedule,
  setBackend,
  setIsa,
} from '../../lib/index.ts';
import { prepareModelLoad } from '../../lib/state-dict/model.ts';
import { loadAll, type PendingLoad } from '../../lib/state-dict/stateful.ts';
import { fill } from '../reference/inputs.ts';
import { expectError } from '../support/helpers.ts';
import { bitsOf, goTo, PLACES } from './runs.ts';

const before = { backend: backend(), isa: isa() };
afterAll(() => {
  setBackend(before.backend);
  if (before.backend === 'native') setIsa(before.isa);
});

type Optimizers = ReturnType<typeof makeOptimizers>['optimizer'];

function makeOptimizers(arena: ParameterArena) {
  const [a, b, c] = arena.namedParameters() as [never, never, never];
  const adam = new AdamW([{ params: [a], name: 'body' }, { params: [b] }], {
    lr: 0.01,
    onNonFinite: 'skip',
    maxGradNorm: 1,
  });
  const sgd = new SGD([c], { lr: 0.1, momentum: 0.9 });
  return { adam, optimizer: combine([adam, sgd]) };
}

const schedules: Record<string, (optimizer: Optimizers) => { step(metric?: number): void }> = {
  ExponentialLR: (optimizer) => new ExponentialLR(optimizer, { gamma: 0.9 }),
  LambdaLR: (optimizer) => new LambdaLR(optimizer, { lrLambda: (epoch) => 1 / (epoch + 1) }),
  OneCycleLR: (optimizer) => new OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 40 }),
  warmRestarts: (optimizer) => new CosineAnnealingWarmRestarts(optimizer, { T0: 3 }),
  ReduceLROnPlateau: (optimizer) => new ReduceLROnPlateau(optimizer, { patience: 1 }),
  SequentialLR: (optimizer) =>
    new SequentialLR(optimizer, {
      schedulers: [
        new LinearLR(optimizer, { totalIters: 4 }),
        new ExponentialLR(optimizer, { gamma: 0.5 }),
      ],
      milestones: [4],
    }),
  schedule: (optimizer) =>
    schedule(
      optimizer as never,
      {
        lr: cosine({ from: 0.1, to: 0.01, steps: 9 }),
        weightDecay: linear({ from: 0, to: 0.1, steps: 20 }),
      } as never,
    ),
  factors: (optimizer) =>
    schedule(optimizer as never, { lr: linear({ from: 1, to: 0, steps: 40 }) } as never, {
      mode: 'multiplicative',
    }),
};

class Whole {
  readonly model = new ParameterArena({ a: [3, 5], b: [4], c: [17] });
  readonly adam: AdamW;
  readonly optimizer: Optimizers;
  readonly scheduler: { step(metric?: number): void } & Part;
  readonly scaler = new GradScaler({ initScale: 2 ** 10, growthInterval: 3 });
  readonly ema: EMA;
  readonly swa: SWA;
  readonly #takesMetric: boolean;

  constructor(name: string) {
    for (const [i, p] of this.model.parameters.entries()) fill(p.data as never, 'normal', 9, 0, i);
    const { adam, optimizer } = makeOptimizers(this.model);
    this.adam = adam;
    this.optimizer = optimizer;
    this.scheduler = schedules[name]!(optimizer) as never;
    this.ema = new EMA(this.model.namedParameters(), { decay: 0.9 }).attach(optimizer);
    this.swa = new SWA(this.model.parameters);
    this.#takesMetric = name === 'ReduceLROnPlateau';
  }

  step(from: number, to: number): this {
    for (let step = from; step < to; step++) {
      this.scaler.scale(1);
      for (const [i, p] of this.model.parameters.entries()) {
        fill(p.ensureGrad() as never, 'normal', 9, step, i);
        if (step === 4 && i === 1) p.grad!.fill(Number.POSITIVE_INFINITY);
      }
      this.scaler.unscale(this.adam);
      this.scaler.step(this.adam);
      this.scaler.update();
      this.optimizer.step();
      if (step % 2 === 0) this.swa.update();
      if (this.#takesMetric) this.scheduler.step(5);
      else this.scheduler.step();
    }
    return this;
  }

  get parts(): Record<string, Part> {
    const { scheduler, scaler, ema, swa, optimizer } = this;
    return { scheduler, scaler, ema, swa, optimizer } as unknown as Record<string, Part>;
  }

  save(): Record<string, unknown> {
    const parts = Object.entries(this.parts).map(([name, part]) => [name, part.stateDict()]);
    return structuredClone({ model: modelStateDict(this.model), ...Object.fromEntries(parts) });
  }

  load(saved: Record<string, unknown>): void {
    loadAll([
      prepareModelLoad(this.model, saved.model),
      ...Object.entries(this.parts).map(([name, part]) => part.prepareLoad(saved[name])),
    ]);
  }
}

interface Part {
  stateDict(): object;
  loadStateDict(dict: unknown): unknown;
  prepareLoad(dict: unknown): PendingLoad;
}

describe.each(Object.keys(schedules))('a run with %s', (name) => {
  it('goes on at every place, saved at every place', () => {
    for (const cut of [3, 6]) {
      goTo(PLACES[0]!);
      const whole = new Whole(name).step(1, cut);
      const rest = [1, 2, 3, 4, 5].map((_, i) => bitsOf(whole.step(cut + i, cut + i + 1).save()));
      for (const [p, from] of PLACES.entries()) {
        goTo(from);
        const saved = new Whole(name).step(1, cut).save();
        goTo(PLACES[(p + 1) % PLACES.length]!);
        for (const resumed of [new Whole(name), new Whole(name).step(1, 2 + cut)]) {
          resumed.load(saved);
          expect(bitsOf(resumed.save())).toEqual(bitsOf(saved));
          for (const [i, expected] of rest.entries()) {
            expect(bitsOf(resumed.step(cut + i, cut + i + 1).save())).toEqual(expected);
          }
        }
      }
    }
  });

  it('goes on when its parts are loaded one by one, in either order', () => {
    goTo(PLACES.at(-1)!);
    const whole = new Whole(name).step(1, 5);
    const saved = whole.save();
    const rest = bitsOf(whole.step(5, 9).save());
    for (const order of ['forwards', 'backwards']) {
      const resumed = new Whole(name);
      loadModelStateDict(resumed.model, saved.model as never);
      const parts = Object.entries(resumed.parts);
      if (order === 'backwards') parts.reverse();
      for (const [key, part] of parts) part.loadStateDict(saved[key]);
      expect(bitsOf(resumed.step(5, 9).save()), order).toEqual(rest);
    }
  });

  it('is loaded whole or not at all', () => {
    const saved = new Whole(name).step(1, 5).save();
    for (const part of Object.keys(saved)) {
      const run = new Whole(name).step(1, 3);
      const before = bitsOf(run.save());
      const wrong = { ...saved, [part]: { ...(saved[part] as object), ...spoilt[part] } };
      expect(() => run.load(wrong), part).toThrow(/Expected|Invalid/);
      expect(bitsOf(run.save()), part).toEqual(before);
    }
  });
});

/** What spoils each part. */
const spoilt: Record<string, object> = {
  model: { a: { data: new Float32Array(15), shape: [5, 3] } },
  scheduler: { type: 'schedule', lastEpoch: 'x', lastStep: -1 },
  scaler: { scale: -1 },
  ema: { nAveraged: 0.5 },
  swa: { averages: [new Float32Array(15), new Float32Array(4), new Float32Array(3)] },
  optimizer: { optimizers: [] },
};

describe('the state dict of an average', () => {
  const make = (options = {}) => {
    const model = new ParameterArena({ a: [2], b: [3] });
    return { model, ema: new EMA(model.namedParameters(), options) };
  };

  it('is matched by name, with options that are loaded or kept', () => {
    const { model, ema } = make({ decay: 0.5, form: 'mulAdd' });
    model.parameters[0]!.data.fill(1);
    ema.update();
    const dict = ema.stateDict();
    const swapped = new ParameterArena({ b: [3], a: [2] });
    const other = new EMA(swapped.namedParameters());
    other.loadStateDict(dict, { options: 'keep' });
    expect([other.decay, other.form, other.nAveraged]).toEqual([0.999, 'lerp', 1]);
    expect([...other.averages.get(swapped.parameters[1]!)!]).toEqual([1, 1]);
    other.loadStateDict(dict);
    expect([other.decay, other.form]).toEqual([0.5, 'mulAdd']);
  });

  it('has to fit', () => {
    const { ema } = make();
    const dict = ema.stateDict();
    const load = (change: object) => () => make().ema.loadStateDict({ ...dict, ...change });
    expectError(load({ type: 'SWA' }), 'ERR_STATE_DICT', "EMA but received 'SWA'");
    expectError(load({ nAveraged: -1 }), 'ERR_STATE_DICT', 'nAveraged');
    expectError(load({ options: { decay: 2 } }), 'ERR_INVALID_OPTION', 'decay value 2');
    expectError(load({ averages: [[1, 2]] }), 'ERR_STATE_DICT', 'averages[0] to be a Float32Array');
    expectError(
      load({ parameters: [{ name: 'a' }, { name: 'c' }] }),
      'ERR_STATE_DICT',
      "Missing in the state dict: 'b'",
    );
  });
});
