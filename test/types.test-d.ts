/** What the compiler accepts and refuses; checked by tsc, never run. */

import { describe, expectTypeOf, it } from 'vitest';
import {
  Adam,
  type AdamOptions,
  type AdamState,
  AdamW,
  type ErrorCode,
  type GradstepError,
  type Optimizer,
  Parameter,
  type ParameterLike,
  SGD,
  type SGDOptions,
} from '../lib/index.ts';

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
