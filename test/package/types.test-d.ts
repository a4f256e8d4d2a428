/** What the compiler accepts and refuses; checked by tsc, never run. */

import { describe, expectTypeOf, it } from 'vitest';
import {
  Adam,
  type AdamOptions,
  type AdamState,
  AdamW,
  combine,
  createOptimizer,
  EMA,
  type ErrorCode,
  ExponentialLR,
  type GradstepError,
  type LoadReport,
  Optimizer,
  type OptimizerStateDict,
  Parameter,
  type ParameterLike,
  registerOptimizer,
  registerOptimizerStepPreHook,
  SGD,
  type SGDOptions,
  type SGDState,
  schedule,
  stepAll,
  type Update,
} from '../../lib/index.ts';
import { MyLion } from '../optimizer/my-lion.ts';

const w = new Parameter([1]);
const v: ParameterLike = { data: new Float32Array(new SharedArrayBuffer(4)), grad: null };

describe('options', () => {
  it('are readonly, and wrong ones do not compile', () => {
    expectTypeOf<AdamOptions>().toEqualTypeOf<Readonly<AdamOptions>>();
    expectTypeOf<SGDOptions>().toEqualTypeOf<Readonly<SGDOptions>>();
    new Adam([w], { lr: 1e-3, betas: [0.9, 0.999], amsgrad: true });
    // @ts-expect-error: misspelt
    new Adam([w], { weight_decay: 0.1 });
    // @ts-expect-error: of another optimizer
    new Adam([w], { momentum: 0.9 });
    // @ts-expect-error: not a number
    new SGD([w], { lr: '0.1' });
    // @ts-expect-error: one beta
    new AdamW([w], { betas: [0.9] });
    // @ts-expect-error: a flag is no number
    new SGD([w], { nesterov: 1 });
    // @ts-expect-error: a bare parameter
    new Adam(w);
    // @ts-expect-error: no array of parameters
    new Adam([new Float32Array(3)]);
    // @ts-expect-error: misspelt in a group
    new SGD([{ params: w, weigthDecay: 0.1 }]);
  });

  it('take parameters in every form', () => {
    new Adam([w, v]);
    new Adam(new Set([w]));
    new Adam(new Map([['w', w]]));
    new Adam(Object.entries({ w }));
    new Adam([['w', w]]);
    new Adam([{ params: w, lr: 1 }, { params: [v] }, { params: ['w', w] }]);
    const o = new SGD([]);
    o.addParamGroup({ params: new Map([['w', w]]), momentum: 0.9, name: 'head', meta: { a: [1] } });
    // @ts-expect-error: no params
    o.addParamGroup({ lr: 1 });
    // @ts-expect-error: a function is no JSON
    o.addParamGroup({ params: w, meta: () => 1 });
  });
});

describe('groups', () => {
  it('are live and typed, their lists readonly', () => {
    const o = new Adam([w]);
    const group = o.paramGroups[0]!;
    expectTypeOf(group.lr).toEqualTypeOf<number>();
    expectTypeOf(group.betas).toEqualTypeOf<readonly [number, number]>();
    expectTypeOf(group.amsgrad).toEqualTypeOf<boolean>();
    expectTypeOf(group.params).toEqualTypeOf<readonly ParameterLike[]>();
    expectTypeOf(o.defaults.lr).toEqualTypeOf<number>();
    group.lr = 1;
    group.betas = [0.5, 0.5];
    // @ts-expect-error: readonly
    group.betas[0] = 1;
    // @ts-expect-error: readonly
    group.params = [];
    // @ts-expect-error: readonly
    group.params.push(w);
    // @ts-expect-error: readonly
    o.paramGroups.push(group);
    // @ts-expect-error: misspelt
    group.weight_decay = 1;
    group.frozen = true;
    // @ts-expect-error: a flag is no number
    group.frozen = 1;
  });
});

describe('parameters that come and go', () => {
  it('are typed by the options of the optimizer', () => {
    const o = new Adam([w, { ...v, frozen: true }]);
    o.override(w, { weightDecay: 0 });
    o.override(w, null);
    expectTypeOf(o.overrideOf(w)?.amsgrad).toEqualTypeOf<boolean | undefined>();
    // @ts-expect-error: of another optimizer
    o.override(w, { momentum: 0.9 });
    // @ts-expect-error: of groups
    o.override(w, { frozen: true });
    // @ts-expect-error: readonly
    o.overrideOf(w)!.lr = 1;
    o.removeParameters(o.paramGroups[0]!.params);
    o.removeParameters(new Set([w]));
    o.replaceParameter(w, v, { index: Int32Array.of(0) });
    o.replaceParameter(w, v, { state: 'reset' });
    // @ts-expect-error: neither kept nor reset
    o.replaceParameter(w, v, { state: 'zero' });
    o.resetState();
    o.resetState(w);
    w.frozen = true;
    // @ts-expect-error: a flag is no number
    w.frozen = 0;
  });
});

describe('any optimizer', () => {
  it('is an Optimizer', () => {
    const train = (o: Optimizer) => o.step();
    train(new Adam([w]));
    train(new SGD([w]));
    const all: Optimizer[] = [new Adam([w]), new SGD([w])];
    expectTypeOf(all[0]!.paramGroups[0]!.params.length).toBeNumber();
  });
});

describe('step, state and errors', () => {
  it('are typed by what they give', () => {
    const o = new Adam([w]);
    expectTypeOf(o.step()).toEqualTypeOf<undefined>();
    expectTypeOf(o.step(() => 0.5)).toEqualTypeOf<number>();
    expectTypeOf(o.state.get(w)).toEqualTypeOf<AdamState | undefined>();
    expectTypeOf(new SGD([w]).state.get(w)!.momentumBuffer).toEqualTypeOf<
      Float32Array<ArrayBufferLike>
    >();
    expectTypeOf(w.data).toEqualTypeOf<Float32Array<ArrayBufferLike>>();
    expectTypeOf<GradstepError['code']>().toEqualTypeOf<ErrorCode>();
    // @ts-expect-error: readonly
    o.state.get(w)!.step = 1;
    // @ts-expect-error: read-only map
    o.state.delete(w);
    // @ts-expect-error: no positional argument
    o.zeroGrad(false);
    o[Symbol.dispose]();
  });
});

describe('hooks', () => {
  it('know their optimizer', () => {
    const o = new Adam([w]);
    const handle = o.registerStepPreHook((optimizer, [closure]) => {
      expectTypeOf(optimizer).toEqualTypeOf<Adam>();
      expectTypeOf(closure).toEqualTypeOf<(() => unknown) | undefined>();
      return [() => 1];
    });
    handle.remove();
    o.registerStepPostHook(async () => {});
    registerOptimizerStepPreHook(() => {});
    // @ts-expect-error: no arguments of a step
    o.registerStepPreHook(() => 5);
  });
});

describe('an optimizer of one’s own', () => {
  it('has the options of its defaults, in constructor, groups and update', () => {
    const o = new MyLion([{ params: w, weightDecay: 0.1 }], { lr: 1, betas: [0.5, 0.5] });
    const group = o.paramGroups[0]!;
    expectTypeOf(group.lr).toEqualTypeOf<number>();
    expectTypeOf(group.betas).toEqualTypeOf<readonly [number, number]>();
    expectTypeOf(o.state.get(w)!.expAvg).toEqualTypeOf<Float32Array<ArrayBufferLike>>();
    expectTypeOf(o.state.get(w)!.step).toEqualTypeOf<number>();
    expectTypeOf<Update<MyLion>['group']['weightDecay']>().toEqualTypeOf<number>();
    expectTypeOf<keyof Update<MyLion>['state']>().toEqualTypeOf<'expAvg'>();
    expectTypeOf<Update<MyLion>['step']>().toEqualTypeOf<number>();
    o.addParamGroup({ params: w, lr: 0.1 });
    const any: Optimizer = o;
    any.step();
    // @ts-expect-error: misspelt
    new MyLion([w], { weight_decay: 1 });
    // @ts-expect-error: not a number
    new MyLion([w], { lr: '1' });
    // @ts-expect-error: misspelt in a group
    o.addParamGroup({ params: w, weigthDecay: 1 });
    // @ts-expect-error: only its subclasses
    new Optimizer([w]);
  });

  it('may name its options and state by hand', () => {
    class Plain extends Optimizer<{ readonly lr?: number }, { readonly sum: Float32Array }> {
      static defaults = { lr: 1 };
      static state = ['sum'];
      override update({ data, state, group }: Update<Plain>) {
        expectTypeOf(group.lr).toEqualTypeOf<number>();
        expectTypeOf(state.sum).toEqualTypeOf<Float32Array>();
        data[0]! -= group.lr * state.sum[0]!;
      }
    }
    new Plain([w], { lr: 1 });
    // @ts-expect-error: no such option
    new Plain([w], { eps: 1 });
  });
});

describe('combined optimizers', () => {
  it('have the groups and states of all', () => {
    const both = combine([new Adam([w]), new SGD([v])]);
    expectTypeOf(both.optimizers[0]).toEqualTypeOf<Adam>();
    expectTypeOf(both.step(() => 0.5)).toEqualTypeOf<number>();
    expectTypeOf(both.paramGroups[0]!.lr).toEqualTypeOf<number>();
    expectTypeOf(both.state.get(w)).toEqualTypeOf<AdamState | SGDState | undefined>();
    new ExponentialLR(both, { gamma: 0.5 });
    schedule(both, { weightDecay: () => 1 });
    stepAll([both, new MyLion([])]);
    // @ts-expect-error: not all have it
    both.paramGroups[0]!.momentum;
    // @ts-expect-error: no optimizer
    combine([w]);
  });
});

describe('optimizers by name', () => {
  it('have the class and the options of a name that is written out', () => {
    expectTypeOf(createOptimizer('adamw', [w], { amsgrad: true })).toEqualTypeOf<AdamW>();
    expectTypeOf(createOptimizer('SGD', [{ params: w, lr: 1 }])).toEqualTypeOf<SGD>();
    // biome-ignore lint/suspicious/noExplicitAny: options that nobody knows
    expectTypeOf(createOptimizer('any' as string, [w], {})).toEqualTypeOf<Optimizer<any, any>>();
    registerOptimizer('mylion', MyLion);
    // @ts-expect-error: of another optimizer
    createOptimizer('adam', [w], { momentum: 0.9 });
    // @ts-expect-error: misspelt in a group
    createOptimizer('sgd', [{ params: w, weigthDecay: 0.1 }]);
    // @ts-expect-error: no optimizer
    registerOptimizer('map', Map);
  });
});

describe('state dicts', () => {
  it('are what loadStateDict takes, and hooks know their optimizer', () => {
    const optimizer = new AdamW([w]);
    const dict = optimizer.stateDict({ copy: false });
    expectTypeOf(dict).toEqualTypeOf<OptimizerStateDict>();
    expectTypeOf(optimizer.loadStateDict(dict, { strict: false })).toEqualTypeOf<LoadReport>();
    optimizer.registerStateDictPostHook((o, given) => {
      expectTypeOf(o).toEqualTypeOf<AdamW>();
      expectTypeOf(given).toEqualTypeOf<OptimizerStateDict>();
    });
    // @ts-expect-error: either 'load' or 'keep'
    optimizer.loadStateDict(dict, { options: 'all' });
    // @ts-expect-error: an average's is none of an optimizer
    optimizer.loadStateDict(new EMA([w]).stateDict());
  });
});
