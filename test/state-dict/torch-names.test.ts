/** State dicts in PyTorch's names: what changes, and what cannot be said there. */

import { describe, expect, it } from 'vitest';
import {
  Adagrad,
  Adam,
  fromTorch,
  Parameter,
  SGD,
  type Tensor,
  type TensorFile,
  toTorch,
} from '../../lib/index.ts';
import { expectError, parameter } from '../support/helpers.ts';

const groups = (groups: unknown, type?: string) => ({
  'optimizer.param_groups': typeof groups === 'string' ? groups : JSON.stringify(groups),
  ...(type && { 'optimizer.type': type }),
});

const file = (given: unknown, tensors: Record<string, Tensor> = {}, type?: string): TensorFile => ({
  tensors,
  metadata: groups(given, type),
});

const tensor = (...values: number[]): Tensor => ({
  data: Float32Array.from(values),
  shape: [values.length],
});
const scalar = (value: number): Tensor => ({ data: Float32Array.of(value), shape: [] });

describe('toTorch', () => {
  it('writes steps that float32 cannot hold as float64', () => {
    const optimizer = new Adam([parameter(2, 'w')]);
    optimizer.step();
    for (const [step, Kind] of [
      [2 ** 24, Float32Array],
      [2 ** 24 + 1, Float64Array],
      [Number.MAX_SAFE_INTEGER, Float64Array],
    ] as const) {
      const dict = optimizer.stateDict();
      const state = { 0: { ...dict.state[0]!, step } };
      const written = toTorch({ optimizer: { ...dict, state } });
      expect(written.tensors['optimizer.state.0.step']).toEqual({ data: Kind.of(step), shape: [] });
      optimizer.loadStateDict(fromTorch(written).optimizer);
      expect(optimizer.state.get(optimizer.paramGroups[0]!.params[0]!)!.step).toBe(step);
    }
  });

  it('refuses options of single parameters', () => {
    const w = parameter(2, 'w');
    const optimizer = new SGD([w]);
    optimizer.override(w, { lr: 1 });
    expectError(
      () => toTorch({ optimizer: optimizer.stateDict() }),
      'ERR_STATE_DICT',
      'parameter w overrides lr',
    );
  });

  it('refuses what is no state dict', () => {
    for (const [dicts, text] of [
      [null, 'state dicts to write to be an object'],
      [{ optimizer: 3 }, 'the state dict of an optimizer to be an object'],
      [{ optimizer: {} }, 'with state and paramGroups'],
      [
        { optimizer: { paramGroups: [{ params: [0] }], state: { 0: { x: [] } } } },
        'Expected x of state 0',
      ],
      [{ model: { w: [1] } }, "Expected 'w' of the model's state dict"],
    ] as const) {
      expectError(() => toTorch(dicts as never), 'ERR_STATE_DICT', text);
    }
  });

  it("gives torch's Adagrad the sums that it has before the first step", () => {
    const w = Parameter.zeros([2, 2]);
    const optimizer = new Adagrad([w], { initialAccumulatorValue: 0.1 });
    const { tensors } = toTorch({ optimizer: optimizer.stateDict() });
    expect(tensors).toEqual({
      'optimizer.state.0.step': scalar(0),
      'optimizer.state.0.sum': { data: new Float32Array(4).fill(0.1), shape: [2, 2] },
    });
  });
});

describe('fromTorch', () => {
  it('leaves out how torch computes, and takes the lr before any schedule', () => {
    const { optimizer } = fromTorch(
      file([{ lr: 0.5, initial_lr: 1, fused: null, max_lr: 3, weight_decay: 0.25, params: [] }]),
    );
    const initialValues = { lr: 1 };
    expect(optimizer.paramGroups).toEqual([
      { lr: 0.5, weightDecay: 0.25, initialValues, params: [] },
    ]);
    new SGD([{ params: [] }]).loadStateDict(optimizer);
  });

  it('counts ids anew and keeps names and shapes', () => {
    const dict = fromTorch(
      file(
        [
          { params: [7], param_names: ['a'] },
          { params: [3, 4294967294], param_names: ['b', 'c'] },
        ],
        {
          'model.a': { data: new Float32Array(6), shape: [2, 3] },
          'optimizer.state.3.momentum_buffer': tensor(1, 2),
        },
        'SGD',
      ),
    ).optimizer;
    expect(dict).toEqual({
      type: 'SGD',
      state: { 1: { momentumBuffer: Float32Array.of(1, 2) } },
      paramGroups: [
        { params: [0], paramNames: ['a'] },
        { params: [1, 2], paramNames: ['b', 'c'] },
      ],
      parameters: [
        { name: 'a', size: 6, shape: [2, 3] },
        { name: 'b', size: 2, shape: [2] },
        { name: 'c' },
      ],
    });
  });

  it('knows the AdamW of newer versions, an Adam that decouples', () => {
    for (const [type, decoupled, expected] of [
      ['Adam', true, 'AdamW'],
      ['AdamW', true, 'AdamW'],
      ['Adam', false, 'Adam'],
      ['RAdam', true, 'RAdam'],
    ] as const) {
      const { optimizer } = fromTorch(
        file([{ params: [], decoupled_weight_decay: decoupled }], {}, type),
      );
      expect(optimizer.type).toBe(expected);
      expect('decoupledWeightDecay' in optimizer.paramGroups[0]!).toBe(type === 'RAdam');
    }
  });

  it("takes another sum of Adagrad's beginning for an override", () => {
    const start = (...sum: number[]) => ({
      'optimizer.state.0.step': scalar(0),
      'optimizer.state.0.sum': tensor(...sum),
    });
    const group = [{ params: [0], initial_accumulator_value: 0.1 }];
    const load = (...sum: number[]) => {
      const w = parameter(2);
      const optimizer = new Adagrad([w]);
      optimizer.loadStateDict(fromTorch(file(group, start(...sum), 'Adagrad')).optimizer);
      return optimizer.overrideOf(w);
    };
    expect(load(0.1, 0.1)).toBeUndefined();
    expect(load(0.5, 0.5)).toEqual({ initialAccumulatorValue: 0.5 });
    expectError(() => load(0.5, 0.25), 'ERR_STATE_DICT', 'the same for all values');
  });

  it.each([
    ['no file', null, 'a file of tensors to be an object'],
    ['no tensors', { metadata: {} }, '{ tensors, metadata }'],
    ['groups that are no JSON', file('[NaN]'), 'param_groups as JSON'],
    ['groups that are no list', file({ params: [] }), 'a list of groups'],
    ['a group without params', file([{ lr: 1 }]), 'params and param_names of a group to be lists'],
    ['an id twice', file([{ params: [1, 1] }]), 'each id once but received 1 twice'],
    ['state of nobody', file([], { 'optimizer.state.0.step': scalar(1) }), 'Expected state 0'],
    ['metadata that is no string', { tensors: {}, metadata: { 'optimizer.type': 3 } }, 'strings'],
    [
      'a wrong shape',
      file([], { w: { data: new Float32Array(3), shape: [2] } }),
      '{ data, shape }',
    ],
    ['integers', file([], { w: { data: new Int32Array(3) as never, shape: [3] } }), 'float64'],
    [
      'a step that is many',
      file([{ params: [0] }], { 'optimizer.state.0.step': tensor(1, 2) }),
      'Expected step of state 0 to be one number',
    ],
  ])('refuses %s', (_what, given, text) => {
    expectError(() => fromTorch(given as never), 'ERR_STATE_DICT', text);
  });
});
