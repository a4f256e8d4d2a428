/**
 * PyTorch's bits of averages: what `torch.optim.swa_utils.AveragedModel` gives with each of its
 * functions, recorded by `reference/averages/generate.py`, on every instruction set.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Average,
  backend,
  EMA,
  isa,
  isas,
  Parameter,
  ParameterArena,
  SWA,
  setBackend,
  setIsa,
} from '../../lib/index.ts';
import { fill, type Kind } from '../reference/inputs.ts';

interface GoldenCase {
  readonly function: string;
  readonly decay: number | null;
  readonly name: string;
  readonly seed: number;
  readonly kinds: readonly (readonly [kind: Kind, updates: number])[];
  readonly lengths: readonly number[];
  /** Eight digits for the start and for each update: a digest of all averages. */
  readonly trace: string;
  /** The bits of the first three averages at the end. */
  readonly end: string;
}

const file = new URL('../reference/averages/goldens.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly GoldenCase[] };

type Make = (params: Parameter[], decay: number) => Average;

const averages: Record<string, Make> = {
  get_ema_avg_fn: (params, decay) => new EMA(params, { decay, form: 'mulAdd' }),
  get_ema_multi_avg_fn: (params, decay) => new EMA(params, { decay }),
  get_swa_avg_fn: (params) => new SWA(params, { form: 'divide' }),
  get_swa_multi_avg_fn: (params) => new SWA(params, { form: 'lerp' }),
  AveragedModel: (params) => new SWA(params),
};

/** With every NaN written as the same one: a NaN equals any NaN. */
function bytesOf(arrays: Iterable<Float32Array<ArrayBufferLike>>): Buffer {
  const bits = Uint32Array.from(
    [...arrays].flatMap((array) => [...new Uint32Array(array.slice().buffer)]),
  );
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & 0x7fffffff) > 0x7f800000) bits[i] = 0x7fc00000;
  }
  return Buffer.from(bits.buffer);
}

function replay(golden: GoldenCase, params: Parameter[]): { trace: string; end: string } {
  const { decay, seed } = golden;
  const kinds = golden.kinds.flatMap(([kind, updates]) => Array<Kind>(updates).fill(kind));
  const setValues = (kind: Kind, update: number) =>
    params.forEach(({ data }, i) => {
      fill(data as Float32Array, kind, seed, update, i);
    });
  setValues(kinds[0]!, 0);
  const average = averages[golden.function]!(params, decay ?? 0);
  const digest = () =>
    createHash('sha256').update(bytesOf(average.averages.values())).digest('hex').slice(0, 8);
  const trace = [digest()];
  for (const [i, kind] of kinds.entries()) {
    setValues(kind, i + 1);
    average.update();
    trace.push(digest());
  }
  expect(average.nAveraged).toBe(kinds.length);
  const end = bytesOf([...average.averages.values()].slice(0, 3)).toString('base64');
  average.dispose();
  return { trace: trace.join(''), end };
}

const loose = ({ lengths }: GoldenCase) => lengths.map((length) => Parameter.zeros([length]));
const arena = ({ lengths }: GoldenCase) => [
  ...new ParameterArena(lengths.map((length) => [length])).parameters,
];
/** Each at another offset modulo 64. */
const misaligned = ({ lengths }: GoldenCase) =>
  lengths.map((length, i) => {
    const offset = 4 * ((i * 5 + length) % 16);
    return new Parameter(new Float32Array(new ArrayBuffer(offset + 4 * length), offset, length));
  });

function everyCase(make: (golden: GoldenCase) => Parameter[]): void {
  for (const golden of cases) {
    const { function: name, decay } = golden;
    it(`${name}${decay === null ? '' : `(${decay})`}: ${golden.name}`, () => {
      const { trace, end } = golden;
      expect(replay(golden, make(golden))).toEqual({ trace, end });
    });
  }
}

describe('averages with the bits of PyTorch', () => {
  it('are recorded for every function, decay and kind', () => {
    expect(new Set(cases.map((golden) => golden.function))).toEqual(new Set(Object.keys(averages)));
    expect(cases.length).toBe(2 * (8 * 7 + 1) + 3 * (7 + 1));
  });

  const before = { backend: backend(), isa: isa() };
  afterAll(() => {
    setBackend(before.backend);
    setIsa(before.isa);
  });

  setBackend('native');
  for (const name of isas()) {
    describe(`native, ${name}`, () => {
      beforeAll(() => {
        setBackend('native');
        setIsa(name);
      });
      everyCase(name === 'scalar' ? loose : misaligned);
    });
  }
  setBackend(before.backend);

  describe('native, in an arena', () => {
    beforeAll(() => {
      setBackend('native');
      setIsa(isas()[0]!);
    });
    everyCase(arena);
  });

  describe.each(['wasm', 'portable'] as const)('%s', (name) => {
    beforeAll(() => setBackend(name));
    everyCase(loose);
  });
});
