/** Clipping with bad arguments, bad gradients, and memory that goes away. */

import { expect, it } from 'vitest';
import {
  clipGradNorm,
  clipGradsWithNorm,
  clipGradValue,
  getTotalNorm,
  type Parameter,
  type ParameterLike,
} from '../../lib/index.ts';
import { expectError, onEachBackend } from '../support/helpers.ts';
import { withGrads } from './goldens.ts';

const values = (p: ParameterLike) => [...p.grad!];

onEachBackend(() => {
  it('refuses bad arguments before anything changes', () => {
    const parameters = withGrads([3, 4], [5]);
    const bad: (readonly [string, string, () => unknown])[] = [
      ['ERR_INVALID_ARGUMENT', 'maxNorm to be a number >= 0', () => clipGradNorm(parameters, -1)],
      ['ERR_INVALID_ARGUMENT', 'received NaN', () => clipGradNorm(parameters, Number.NaN)],
      [
        'ERR_INVALID_ARGUMENT',
        "received '1'",
        () => clipGradsWithNorm(parameters, '1' as never, 1),
      ],
      ['ERR_INVALID_ARGUMENT', 'totalNorm', () => clipGradsWithNorm(parameters, 1, -1)],
      ['ERR_INVALID_ARGUMENT', 'totalNorm', () => clipGradsWithNorm(parameters, 1, null as never)],
      ['ERR_INVALID_ARGUMENT', 'clipValue', () => clipGradValue(parameters, -0.5)],
      ['ERR_OVERFLOW', 'without overflow', () => clipGradValue(parameters, 1e39)],
      [
        'ERR_INVALID_OPTION',
        "normType of clipGradNorm to be a number or 'inf'",
        () => clipGradNorm(parameters, 1, { normType: Number.NaN }),
      ],
      [
        'ERR_INVALID_OPTION',
        'normType',
        () => getTotalNorm(parameters, { normType: '2' as never }),
      ],
      [
        'ERR_INVALID_OPTION',
        'a boolean',
        () => getTotalNorm(parameters, { errorIfNonfinite: 1 as never }),
      ],
      [
        'ERR_UNKNOWN_OPTION',
        'did you mean errorIfNonfinite?',
        () => getTotalNorm(parameters, { errorIfNonFinite: true } as never),
      ],
      ['ERR_INVALID_OPTION', 'options', () => getTotalNorm(parameters, 1 as never)],
      ['ERR_INVALID_PARAMETER', 'params', () => getTotalNorm(3 as never)],
      ['ERR_INVALID_PARAMETER', 'wrap it', () => getTotalNorm([new Float32Array(2)] as never)],
      [
        'ERR_INVALID_PARAMETER',
        'is an empty generator, no gradient clipping will occur',
        () => clipGradNorm([].values() as never, 1),
      ],
    ];
    for (const [code, text, call] of bad) expectError(call, code, text);
    expect(parameters.flatMap(values)).toEqual([3, 4, 5]);
  });

  it('refuses bad gradients before anything changes', () => {
    const [good] = withGrads([3, 4]) as [Parameter];
    const data = new Float32Array(2);
    const gone = new Float32Array(2);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const bad: (readonly [string, string, object])[] = [
      ['ERR_DETACHED', 'grad of parameter at index 1', { data, grad: gone }],
      [
        'ERR_INVALID_GRADIENT',
        "'w' to be a Float32Array of length 2",
        {
          name: 'w',
          data,
          grad: new Float32Array(3),
        },
      ],
      ['ERR_INVALID_GRADIENT', 'received Float64Array(2)', { data, grad: new Float64Array(2) }],
      ['ERR_INVALID_GRADIENT', 'received [1, 2]', { data, grad: [1, 2] }],
      ['ERR_INVALID_GRADIENT', 'received false', { data, grad: false }],
    ];
    for (const [code, text, other] of bad) {
      for (const call of [
        () => clipGradNorm([good, other as ParameterLike], 1),
        () => clipGradsWithNorm([good, other as ParameterLike], 1, 5),
        () => clipGradValue([good, other as ParameterLike], 1),
      ]) {
        expectError(call, code, text);
      }
    }
    expect(values(good)).toEqual([3, 4]);
  });

  it('looks at memory after the last getter has run', () => {
    const [victim] = withGrads(new Array(5000).fill(1)) as [Parameter];
    const thief = {
      data: new Float32Array(1),
      get grad() {
        const { buffer } = victim.grad!;
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
        return Float32Array.of(1);
      },
    };
    expectError(() => clipGradNorm([victim, thief], 1), 'ERR_DETACHED', "'p0'");
    const forged = Float32Array.of(3, 4);
    Object.defineProperty(forged, 'length', { value: 1e9 });
    const like = { data: new Float32Array(2), grad: forged };
    expect(clipGradNorm(like, 1)).toBe(5);
    expect(forged[0]).toBeCloseTo(0.6, 6);
    const thrower = {
      data: new Float32Array(2),
      get grad(): never {
        throw new Error('mine');
      },
    };
    expect(() => clipGradValue([like, thrower], 0.1)).toThrow('mine');
    expect(forged[0]).toBeCloseTo(0.6, 6);
  });
});
