/**
 * Replays the golden cases of `reference/`, which were recorded from PyTorch, and says where a
 * run leaves PyTorch's path. What a case does is all in its file; nothing is known here of any
 * optimizer.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import * as gradstep from '../../lib/index.ts';
import { fill, type Kind } from '../reference/inputs.ts';

type Options = Readonly<Record<string, unknown>>;

interface GoldenGroup {
  readonly lengths: readonly number[];
  /** The kind of the initial data. */
  readonly values: Kind;
  readonly options: Options;
}

/** Adds groups and edits options, then makes its steps. */
interface Phase {
  readonly steps: number;
  readonly grads: Kind;
  /** Numbers of the parameters that have no gradient; parameters count through all groups. */
  readonly without?: readonly number[];
  readonly edits?: readonly { readonly group: number; readonly options: Options }[];
  readonly groups?: readonly GoldenGroup[];
}

export interface GoldenCase {
  readonly name: string;
  readonly seed: number;
  readonly defaults: Options;
  readonly groups: readonly GoldenGroup[];
  readonly phases: readonly Phase[];
  /** Eight digits for each step: a digest of all parameters and their state after it. */
  readonly trace: string;
  /** At the end, by parameter: each part in full (float32 in base64, or a number), or a digest. */
  readonly parameters: readonly (Readonly<Record<string, string | number>> | string)[];
}

export interface GoldenFile {
  /** The class, in gradstep as in torch.optim. */
  readonly optimizer: string;
  readonly cases: readonly GoldenCase[];
}

/** Makes one parameter, in whatever memory a test is about, with room for its gradient. */
export type MakeParameter = (length: number) => { data: Float32Array; grad: Float32Array | null };

/** The data and the state of one parameter, by name. */
type Snapshot = Readonly<Record<string, Float32Array | number>>;

/** What a run gave, to be held against the golden case. */
export interface Outcome {
  readonly trace: string;
  readonly parameters: readonly Snapshot[];
}

type Build = new (groups: object[], defaults: Options) => gradstep.Optimizer;

const TRACE_DIGITS = 8;
const DIGEST_DIGITS = 16;

/** Every golden file, one per optimizer. */
export function goldenFiles(): GoldenFile[] {
  const folder = new URL('../reference/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')));
}

/** Runs a case on the backend in force. */
export function replay(optimizer: string, golden: GoldenCase, make: MakeParameter): Outcome {
  const run = new Run(optimizer, golden, make);
  try {
    const trace = golden.phases.flatMap((phase) => run.play(phase));
    return { trace: trace.join(''), parameters: run.snapshots() };
  } finally {
    run.optimizer.dispose();
  }
}

class Run {
  readonly optimizer: gradstep.Optimizer;
  readonly #golden: GoldenCase;
  readonly #make: MakeParameter;
  readonly #parameters: ReturnType<MakeParameter>[] = [];
  readonly #grads: Float32Array[] = [];
  #step = 0;

  constructor(optimizer: string, golden: GoldenCase, make: MakeParameter) {
    this.#golden = golden;
    this.#make = make;
    const Optimizer = Reflect.get(gradstep, optimizer) as Build;
    const groups = golden.groups.map((group) => this.#makeGroup(group));
    this.optimizer = new Optimizer(groups, golden.defaults);
  }

  #makeGroup({ lengths, values, options }: GoldenGroup) {
    const params = lengths.map((length) => {
      const parameter = this.#make(length);
      fill(parameter.data, values, this.#golden.seed, 0, this.#parameters.length);
      this.#parameters.push(parameter);
      this.#grads.push(parameter.grad!);
      return parameter;
    });
    return { params, ...options };
  }

  /** Makes the steps of a phase; returns a digest after each. */
  play({ steps, grads, without = [], edits = [], groups = [] }: Phase): string[] {
    for (const group of groups) this.optimizer.addParamGroup(this.#makeGroup(group));
    for (const { group, options } of edits) {
      Object.assign(this.optimizer.paramGroups[group]!, options);
    }
    return Array.from({ length: steps }, () => {
      this.#step++;
      this.#setGradients(grads, without);
      this.optimizer.step();
      return digest(this.snapshots()).slice(0, TRACE_DIGITS);
    });
  }

  #setGradients(kind: Kind, without: readonly number[]): void {
    this.#parameters.forEach((parameter, i) => {
      const grad = without.includes(i) ? null : this.#grads[i]!;
      if (grad !== null) fill(grad, kind, this.#golden.seed, this.#step, i);
      parameter.grad = grad;
    });
  }

  snapshots(): Snapshot[] {
    return this.#parameters.map((parameter) => ({
      data: parameter.data,
      ...(this.optimizer.state.get(parameter) as Partial<Snapshot> | undefined),
    }));
  }
}

/** The bits of all arrays, with every NaN written as the same one: a NaN equals any NaN. */
export function bitsOf(...arrays: readonly Float32Array[]): Uint32Array {
  const floats = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const array of arrays) {
    floats.set(array, start);
    start += array.length;
  }
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & 0x7fffffff) > 0x7f800000) bits[i] = 0x7fc00000;
  }
  return bits;
}

/** Of all names in order, then of all values as float32, which torch's numbers are too. */
function digest(snapshots: readonly Snapshot[]): string {
  const names = snapshots.map((snapshot) => Object.keys(snapshot).sort());
  const parts = snapshots.flatMap((snapshot, i) => names[i]!.map((name) => snapshot[name]!));
  const arrays = parts.map((part) => (typeof part === 'number' ? Float32Array.of(part) : part));
  const sha = createHash('sha256')
    .update(names.flat().join())
    .update(bitsOf(...arrays));
  return sha.digest('hex').slice(0, DIGEST_DIGITS);
}

/** Where and how the outcome differs from PyTorch's, one line each; empty when it does not. */
export function differences(golden: GoldenCase, outcome: Outcome): string[] {
  const places = golden.groups
    .concat(golden.phases.flatMap(({ groups = [] }) => groups))
    .flatMap(({ lengths }, group) => lengths.map((length) => `group ${group}, length ${length}`));
  const lines = golden.parameters.flatMap((expected, i) =>
    parameterDifferences(expected, outcome.parameters[i]!).map(
      (line) => `at the end, parameter ${i} (${places[i]}): ${line}`,
    ),
  );
  return [...traceDifference(golden, outcome.trace), ...lines];
}

function traceDifference({ trace, phases }: GoldenCase, received: string): string[] {
  if (trace === received) return [];
  const digits = [...trace].findIndex((digit, i) => digit !== received[i]);
  const step = Math.floor(digits / TRACE_DIGITS) + 1;
  const ends = phases.map((_, i) => phases.slice(0, i + 1).reduce((sum, p) => sum + p.steps, 0));
  const phase = ends.findIndex((end) => step <= end);
  const changes = JSON.stringify(phases[phase]);
  return [`the first wrong step is ${step} of ${ends.at(-1)}, in phase ${phase}: ${changes}`];
}

function parameterDifferences(
  expected: Readonly<Record<string, string | number>> | string,
  received: Snapshot,
): string[] {
  if (typeof expected === 'string') {
    const actual = digest([received]);
    return actual === expected ? [] : [`expected digest ${expected}, received ${actual}`];
  }
  const names = new Set([...Object.keys(expected), ...Object.keys(received)]);
  return [...names].flatMap((name) => partDifferences(name, expected[name], received[name]));
}

function partDifferences(
  name: string,
  expected: string | number | undefined,
  received: Float32Array | number | undefined,
): string[] {
  if (typeof expected !== 'string' || !(received instanceof Float32Array)) {
    if (Object.is(expected, received)) return [];
    return [`${name}: expected ${preview(expected)}, received ${preview(received)}`];
  }
  const want = new Uint32Array(new Uint8Array(Buffer.from(expected, 'base64')).buffer);
  const got = bitsOf(received);
  if (want.length !== got.length) return [`${name}: expected length ${want.length}`];
  return [...want.keys()]
    .filter((i) => want[i] !== got[i])
    .map((i) => `${name}[${i}]: expected ${show(want[i]!)}, received ${show(got[i]!)}`);
}

function preview(part: unknown): string {
  return typeof part === 'number' ? `${part}` : part === undefined ? 'nothing' : 'an array';
}

/** Bits and value of a float32. */
function show(bits: number): string {
  const [value] = new Float32Array(Uint32Array.of(bits).buffer);
  return `0x${bits.toString(16).padStart(8, '0')} (${Object.is(value, -0) ? '-0' : value})`;
}
