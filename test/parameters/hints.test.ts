/** What a new user would try first, and the sentence that brings him on. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Adam, clipGradNorm, EMA, ParameterArena, SGD, type SGDOptions } from '../../lib/index.ts';
import { expectError, parameter } from '../support/helpers.ts';

const w = parameter();
/** As TensorFlow.js has it: values are asked for, and lie elsewhere. */
const variable = { shape: [2], data: async () => new Float32Array(2), dataSync: () => {} };

describe('what is no parameter', () => {
  it.each<[string, unknown, string]>([
    ['an object of parameters', { weight: w, bias: w }, 'give Object.values(parameters), or'],
    ['an optimizer', new SGD([w]), 'optimizer.paramGroups.flatMap(({ params }) => params)'],
    ['a module', { parameters: () => [w] }, 'give its parameters()'],
    ['an array of values', new Float32Array(2), 'wrap it: new Parameter(array)'],
    ['a tf.Variable', variable, 'new Parameter(tensor.dataSync(), { shape: tensor.shape })'],
  ])('%s', (_what, given, advice) => {
    const calls = [
      () => new Adam(given as never),
      () => new Adam([]).addParamGroup({ params: given as never }),
      () => new EMA(given as never),
      () => clipGradNorm(given as never, 1),
    ];
    for (const call of calls) expectError(call, 'ERR_INVALID_PARAMETER', advice);
  });

  it.each<[string, unknown, string]>([
    ['numbers', [[1, 2]], 'at index 0 is [1, 2]; wrap the numbers: new Parameter(numbers)'],
    ['rows of numbers', [[[1], [2]]], 'wrap the numbers: new Parameter(numbers)'],
    ['an array', [new Float32Array(1)], 'wrap it: new Parameter(array)'],
    ['a tf.Variable', [variable], 'in its own memory'],
    ['an optimizer', [new SGD([w])], 'give its parameters'],
    ['a misspelt group', [{ parms: [w], lr: 1 }], 'a group needs params: did you mean params'],
    ['an object of parameters', [{ weight: w }], 'give Object.values(parameters)'],
    ['one whose getters throw', [new Proxy({}, { get: () => boom() })], 'an object'],
  ])('%s in a list', (_what, given, advice) => {
    expectError(() => new SGD(given as never), 'ERR_INVALID_PARAMETER', advice);
  });

  it('an arena alone', () => {
    const make = () => new SGD(new ParameterArena([[1]]) as never);
    expectError(make, 'ERR_INVALID_PARAMETER', 'give its parameters, .parameters');
  });

  it('a bare parameter and a bare group go into an array', () => {
    for (const one of [w, { params: [w] }, { data: new Float32Array(1) }]) {
      expectError(() => new SGD(one as never), 'ERR_INVALID_PARAMETER', 'put it into an array');
    }
    const add = () => new SGD([]).addParamGroup({ parms: [w] } as never);
    expectError(add, 'ERR_INVALID_GROUP', 'did you mean params instead of parms?');
  });
});

function boom(): never {
  throw new Error('mine');
}

describe('options', () => {
  it.each([
    ['learningRate', 'did you mean lr?'],
    ['learning_rate', 'did you mean lr?'],
    ['epsilon', 'did you mean eps?'],
    ['weight_decay', 'did you mean weightDecay?'],
    ['wd', 'did you mean weightDecay?'],
    ['beta1', 'did you mean betas?'],
    ['clipnorm', 'did you mean maxGradNorm?'],
    ['max_grad_norm', 'did you mean maxGradNorm?'],
    ['fused', 'leave it out: there is one implementation'],
    ['foreach', 'leave it out: there is one implementation'],
    ['capturable', 'leave it out: it is for CUDA graphs'],
    ['differentiable', 'leave it out: steps are not differentiated'],
  ])('%s: %s', (key, advice) => {
    const options = { [key]: true } as never;
    expectError(() => new Adam([w], options), 'ERR_UNKNOWN_OPTION', `option '${key}'; ${advice}`);
    expectError(() => new Adam([w], options), 'ERR_UNKNOWN_OPTION', 'Expected one of lr, betas');
  });

  it('a number is probably the learning rate', () => {
    const make = () => new SGD([w], 0.1 as unknown as SGDOptions);
    expectError(make, 'ERR_INVALID_OPTION', 'did you mean { lr: 0.1 }?');
  });
});

describe('console.log of an arena', () => {
  it('names its parameters', () => {
    const arena = new ParameterArena({ weight: [2, 3], bias: [2] });
    arena.data[0] = 0.5;
    expect(inspect(arena)).toBe(
      'ParameterArena (2 parameters, 8 values)\n' +
        "  Parameter 'weight' [2, 3] [0.5, 0, 0, …]\n" +
        "  Parameter 'bias' [2] [0, 0]",
    );
    arena.parameters[0]!.grad = null;
    expect(String(arena)).toContain('(2 parameters, 8 values, 1 without gradients)');
    const many = String(new ParameterArena(Array.from({ length: 161 }, () => [1])));
    expect(many.split('\n')).toHaveLength(22);
    expect(many).toContain('  … 141 more');
  });
});
