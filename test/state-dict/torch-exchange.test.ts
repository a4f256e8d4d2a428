/**
 * A run that begins in PyTorch goes on here with the same bits, and the other way round. Files and
 * results come from `reference/exchange/generate.py`. To write the files that PyTorch reads:
 *
 *     GRADSTEP_WRITE_EXCHANGE=1 npx vitest run test/state-dict/torch-exchange.test.ts
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  backend,
  fromTorch,
  isa,
  LambdaLR,
  loadModelStateDict,
  modelStateDict,
  Parameter,
  setBackend,
  setIsa,
  toTorch,
} from '../../lib/index.ts';
import { deserialize, serialize } from '../../lib/safetensors/index.ts';
import { optimizerCases } from '../optimizers/optimizer-cases.ts';
import { fill } from '../reference/inputs.ts';
import { goTo, PLACES } from './runs.ts';

interface Case {
  readonly name: string;
  readonly optimizer: string;
  readonly options: object;
  /** The bits at the end of the run that PyTorch began. */
  readonly end: string;
  /** The bits at the end of the run that gradstep began and PyTorch has gone on with. */
  readonly back: string;
}

const folder = fileURLToPath(new URL('../reference/exchange/', import.meta.url));
const { cases } = JSON.parse(readFileSync(`${folder}results.json`, 'utf8')) as { cases: Case[] };

const SHAPES = { 'body.weight': [5, 7], 'body.bias': [5], 'head.scale': [], late: [3] };
const [CUT, END, SEED] = [4, 9, 11];

const before = { backend: backend(), isa: isa() };
afterAll(() => {
  setBackend(before.backend);
  if (before.backend === 'native') setIsa(before.isa);
});

class Run {
  readonly model: ReadonlyMap<string, Parameter>;
  readonly optimizer;

  constructor(name: string, options: object) {
    const row = optimizerCases.find((one) => one.name === name)!;
    const pairs = Object.entries(SHAPES).map(([name, shape], i) => {
      const p = Parameter.zeros(shape);
      fill(p.data as Float32Array, 'normal', SEED, 0, i);
      return [name, p] as const;
    });
    this.model = new Map(pairs);
    const groups = [{ params: pairs.slice(0, 2) }, { params: pairs.slice(2), lr: 0.015625 }];
    this.optimizer = row.make(groups, options);
    new LambdaLR(this.optimizer as never, { lrLambda: () => 1 }); // leaves the initial lr
  }

  steps(first: number, last: number): this {
    for (let step = first; step <= last; step++) {
      for (const [i, p] of [...this.model.values()].entries()) {
        if (i === 3 && step <= CUT) p.grad = null;
        else fill(p.ensureGrad() as Float32Array, 'normal', SEED, step, i);
      }
      this.optimizer.step();
    }
    return this;
  }

  load(file: Buffer): this {
    const { model, optimizer } = fromTorch(deserialize(file));
    expect(loadModelStateDict(this.model, model)).toEqual(NOTHING);
    expect(this.optimizer.loadStateDict(optimizer)).toEqual(NOTHING);
    return this;
  }

  save(): Buffer {
    const dicts = { model: modelStateDict(this.model), optimizer: this.optimizer.stateDict() };
    const { tensors, metadata } = toTorch(dicts);
    return Buffer.from(serialize(tensors, { metadata }));
  }

  /** All values, then all state in the order of torch's names, as base64 of float32. */
  bits(): string {
    const { tensors } = toTorch({ optimizer: this.optimizer.stateDict() });
    const parts = [...this.model.values()].map(({ data }) => data);
    for (let id = 0; id < this.model.size; id++) {
      const prefix = `optimizer.state.${id}.`;
      const mine = Object.keys(tensors).filter((name) => name.startsWith(prefix));
      for (const name of mine.sort()) parts.push(tensors[name]!.data as Float32Array);
    }
    return Buffer.concat(parts.map((part) => new Uint8Array(part.slice().buffer))).toString(
      'base64',
    );
  }
}

/** The same bits, or the same to a tolerance where torch's own sums are in no order of ours. */
function expectSame(optimizer: string, received: string, expected: string): void {
  if (!optimizerCases.find(({ name }) => name === optimizer)!.whole) {
    expect(received).toBe(expected);
    return;
  }
  const floats = (base64: string) =>
    new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
  const [a, b] = [floats(received), floats(expected)];
  expect(a.length).toBe(b.length);
  for (const [i, x] of a.entries()) expect(Math.abs(x - b[i]!)).toBeLessThan(2e-6);
}

const NOT_IN_TORCH = ['Lion', 'LAMB', 'LARS', 'Adan', 'AdEMAMix'];

const NOTHING = { missing: [], unexpected: [], mismatched: [] };

const fromTorchFile = (name: string) => readFileSync(`${folder}from-torch/${name}.safetensors`);
const fromGradstep = (name: string) => `${folder}from-gradstep/${name}.safetensors`;

it('covers every optimizer that PyTorch has', () => {
  const here = optimizerCases
    .map(({ name }) => name)
    .filter((name) => !NOT_IN_TORCH.includes(name));
  expect(new Set(cases.map(({ optimizer }) => optimizer))).toEqual(new Set(here));
});

describe.each(cases)('$name: $optimizer, $options', ({ name, optimizer, options, end, back }) => {
  it.each(PLACES)('goes on where PyTorch began: %s', (place) => {
    goTo(place);
    const run = new Run(optimizer, {}).load(fromTorchFile(name));
    expect(deserialize(run.save()).tensors).toEqual(deserialize(fromTorchFile(name)).tensors);
    expectSame(optimizer, run.steps(CUT + 1, END).bits(), end);
  });

  it.each(PLACES)('writes what PyTorch has gone on with to the same end: %s', (place) => {
    goTo(place);
    const run = new Run(optimizer, options).steps(1, CUT);
    if (process.env.GRADSTEP_WRITE_EXCHANGE) {
      mkdirSync(`${folder}from-gradstep`, { recursive: true });
      writeFileSync(fromGradstep(name), run.save());
      return;
    }
    expect(run.save().equals(readFileSync(fromGradstep(name)))).toBe(true);
    expectSame(optimizer, run.steps(CUT + 1, END).bits(), back);
  });
});
