/**
 * Exchange with PyTorch: names and layout of the files that a few lines of Python write and read
 * (docs/pytorch-exchange.md). Arrays and strings by name, as a safetensors file holds them.
 */

import { describe } from '../support/describe.ts';
import {
  type Doubles,
  type Floats,
  isFloat32Array,
  isFloat64Array,
  lengthOf,
} from '../support/typed-arrays.ts';
import { type ModelStateDict, readModel } from './model.ts';
import type {
  OptimizerStateDict,
  SavedGroup,
  SavedParameter,
  SavedState,
} from './optimizer-dict.ts';
import { isShape } from './parameter-shape.ts';
import { field, isPlainObject, type PlainObject, readPlain, refuseDict } from './plain.ts';
import { readOptimizer as readSaved } from './saved.ts';
import {
  camel,
  readTorchGroups,
  snake,
  type TorchGroups,
  writeTorchGroups,
} from './torch-groups.ts';

/** An array with its shape. */
export interface Tensor {
  readonly data: Floats | Doubles;
  readonly shape: readonly number[];
}

/** Arrays and strings by name: what a safetensors file holds. */
export interface TensorFile {
  readonly tensors: { readonly [name: string]: Tensor };
  readonly metadata: { readonly [name: string]: string };
}

/** The same as it is read: what `readFile` and `deserialize` of gradstep/safetensors give. */
export interface TensorFileInput {
  readonly tensors: {
    readonly [name: string]: { readonly data: ArrayBufferView; readonly shape: readonly number[] };
  };
  readonly metadata: { readonly [name: string]: string };
}

/** State dicts of a model and of an optimizer. */
export interface ExchangedDicts {
  readonly model?: ModelStateDict;
  readonly optimizer?: OptimizerStateDict;
}

/** State that torch keeps as tensors without dimensions, and we as numbers. */
const SCALARS: readonly string[] = ['step', 'mu_product', 'eta', 'mu'];

/**
 * State dicts in PyTorch's names and layout: `model.NAME`, `optimizer.state.ID.KEY`, and the groups
 * as JSON. Steps are float32 there, as torch's are, and float64 where float32 cannot hold them.
 *
 * ```ts
 * const file = toTorch({ model: modelStateDict(net), optimizer: optimizer.stateDict() });
 * ```
 *
 * @throws {GradstepError} `ERR_STATE_DICT`, also for parameters that override options, which
 * PyTorch does not have: make them a group of their own.
 */
export function toTorch(dicts: ExchangedDicts): TensorFile {
  const { model = {}, optimizer: given } = readPlain(dicts, 'state dicts to write');
  const tensors: Record<string, Tensor> = {};
  for (const { name, array, size, shape } of readModel(model)) {
    tensors[`model.${name}`] = { data: array, shape: shape ?? [size] };
  }
  if (given === undefined) return { tensors, metadata: {} };
  const optimizer = checkOptimizer(given);
  for (const group of optimizer.paramGroups) {
    for (const id of group.params) writeState(tensors, optimizer, id, group);
  }
  const { type } = optimizer;
  const metadata = {
    'optimizer.param_groups': writeTorchGroups(optimizer),
    ...(type !== undefined && { 'optimizer.type': type }),
  };
  return { tensors, metadata };
}

function writeState(
  tensors: Record<string, Tensor>,
  { type, state, parameters }: OptimizerStateDict,
  id: number,
  { initialAccumulatorValue }: SavedGroup,
): void {
  const { name, size = 0, shape, overrides = {} } = parameters?.[id] ?? {};
  if (Object.keys(overrides).length > 0) {
    refuseDict(
      'Expected no parameter to override options, since PyTorch has them by group alone, but ' +
        `parameter ${name ?? id} overrides ${Object.keys(overrides).join(', ')}`,
    );
  }
  let mine: SavedState = state[id] ?? {};
  if (type === 'Adagrad' && state[id] === undefined) {
    mine = { step: 0, sum: new Float32Array(size).fill(initialAccumulatorValue as number) };
  }
  for (const [key, value] of Object.entries(mine)) {
    if (type === 'SGD' && key === 'step') continue; // there, the buffer is there or not
    const path = `optimizer.state.${id}.${snake(key)}`;
    if (typeof value === 'number') tensors[path] = scalar(value);
    else if (isFloat32Array(value)) {
      tensors[path] = { data: value, shape: shapeOfState(key, shape ?? [lengthOf(value)]) };
    } else refuseDict(`Expected ${key} of state ${id} to be a number or a Float32Array`);
  }
}

/** Adafactor remembers rows and columns with the other dimension 1, all else as the parameter is. */
function shapeOfState(key: string, shape: readonly number[]): readonly number[] {
  if (key === 'rowVar') return [...shape.slice(0, -1), 1];
  if (key === 'colVar') return [...shape.slice(0, -2), 1, ...shape.slice(-1)];
  return shape;
}

/** Proves that it is one; what comes back is as it was given. */
function checkOptimizer(dict: unknown): OptimizerStateDict {
  const plain = readPlain(dict, 'the state dict of an optimizer');
  readSaved(plain);
  return plain as unknown as OptimizerStateDict;
}

function scalar(value: number): Tensor {
  const isFloat = Math.fround(value) === value;
  return { data: isFloat ? Float32Array.of(value) : Float64Array.of(value), shape: [] };
}

/**
 * State dicts from PyTorch's names and layout. What torch keeps beside a group's options
 * (`foreach`, `fused`, `capturable`, …) is left out; `initial_lr` is the lr before any schedule.
 *
 * ```ts
 * const { model, optimizer: dict } = fromTorch(file);
 * loadModelStateDict(net, model);
 * optimizer.loadStateDict(dict);
 * ```
 *
 * @throws {GradstepError} `ERR_STATE_DICT` when it is not of that layout.
 */
export function fromTorch(file: TensorFileInput): Required<ExchangedDicts> {
  const { tensors: given, metadata } = readPlain(file, 'a file of tensors');
  if (!isPlainObject(given) || !isPlainObject(metadata)) {
    return refuseDict('Expected a file of tensors as { tensors, metadata }');
  }
  const tensors = new Map(
    Object.entries(given).map(([name, one]) => [name, readTensor(name, one)]),
  );
  const json = field(metadata, 'optimizer.param_groups') ?? '[]';
  const type = field(metadata, 'optimizer.type');
  if (typeof json !== 'string' || (type !== undefined && typeof type !== 'string')) {
    return refuseDict(`Expected metadata of strings but received ${describe(type ?? json)}`);
  }
  const model = [...tensors].flatMap(([name, tensor]) => {
    return name.startsWith('model.') ? [[name.slice('model.'.length), tensor]] : [];
  });
  return {
    model: Object.fromEntries(model) as ModelStateDict,
    optimizer: readOptimizer(readTorchGroups(json, type), tensors),
  };
}

function readTensor(name: string, tensor: unknown): Tensor {
  const data = isPlainObject(tensor) ? field(tensor, 'data') : undefined;
  const shape = isPlainObject(tensor) ? field(tensor, 'shape') : undefined;
  const isArray = isFloat32Array(data) || isFloat64Array(data);
  if (isArray && isShape(shape, lengthOf(data))) return { data, shape };
  return refuseDict(
    `Expected ${name} to be { data, shape }, of float32 or float64, but received ` +
      `${describe(isArray ? shape : (data ?? tensor))}`,
  );
}

type Tensors = ReadonlyMap<string, Tensor>;

/** Ids are counted anew: whatever numbers stand there, ours are 0, 1, 2, … */
function readOptimizer({ type, groups }: TorchGroups, tensors: Tensors): OptimizerStateDict {
  const state: Record<string, SavedState> = {};
  const parameters: SavedParameter[] = [];
  const saved = statesById(tensors);
  const seen = new Set<string>();
  const paramGroups = groups.map((group) => {
    const { params, paramNames = [] } = group as { params?: unknown; paramNames?: unknown };
    if (!Array.isArray(params) || !Array.isArray(paramNames)) {
      return refuseDict('Expected params and param_names of a group to be lists');
    }
    const ids = params.map((given, i) => {
      if (seen.has(String(given))) refuseDict(`Expected each id once but received ${given} twice`);
      seen.add(String(given));
      const id = parameters.length;
      const name = typeof paramNames[i] === 'string' ? paramNames[i] : undefined;
      const mine = saved.get(String(given));
      if (mine) state[id] = readState(`${given}`, mine);
      parameters.push(describeParameter(group, name, mine, tensors));
      if (mine && isStart(mine)) delete state[id];
      return id;
    });
    return { ...group, params: ids };
  });
  const stray = [...saved.keys()].find((id) => !seen.has(id));
  if (stray !== undefined) refuseDict(`Expected state ${stray} to be of a parameter in a group`);
  return { ...(type !== undefined && { type }), state, paramGroups, parameters };
}

/** The states in a file: by id, by torch's key. */
function statesById(tensors: Tensors): Map<string, Map<string, Tensor>> {
  const states = new Map<string, Map<string, Tensor>>();
  for (const [name, tensor] of tensors) {
    const match = /^optimizer\.state\.([^.]+)\.(.+)$/.exec(name);
    if (match === null) continue;
    const [, id, key] = match as unknown as [string, string, string];
    const mine = states.get(id) ?? new Map<string, Tensor>();
    states.set(id, mine.set(key, tensor));
  }
  return states;
}

/** By torch's key. */
type TorchState = ReadonlyMap<string, Tensor>;

/** Before the first step there is no state, but in torch's Adagrad. */
function isStart(state: TorchState): boolean {
  return state.get('step')?.data[0] === 0;
}

function readState(id: string, state: TorchState): SavedState {
  return Object.fromEntries(
    Array.from(state, ([key, { data }]): [string, number | Floats] => {
      if (!SCALARS.includes(key)) return [camel(key), data as Floats];
      if (lengthOf(data) === 1) return [camel(key), data[0]!];
      return refuseDict(`Expected ${key} of state ${id} to be one number`);
    }),
  );
}

/** What is known of a parameter. */
function describeParameter(
  group: PlainObject,
  name: string | undefined,
  state: TorchState | undefined,
  tensors: Tensors,
): SavedParameter {
  const shape = shapeOfAll(state) ?? tensors.get(`model.${name}`)?.shape;
  const initial = state && isStart(state) ? readInitial(group, state) : undefined;
  return {
    ...(name !== undefined && { name }),
    ...(shape && { shape, size: shape.reduce((product, size) => product * size, 1) }),
    ...(initial !== undefined && { overrides: { initialAccumulatorValue: initial } }),
  };
}

/** The shape of a parameter by those of its state, of which rows and columns have half each. */
function shapeOfAll(state: TorchState | undefined): readonly number[] | undefined {
  const arrays = [...(state ?? [])].filter(([key]) => !SCALARS.includes(key));
  const shapes = arrays.map(([, tensor]) => tensor.shape);
  return shapes[0]?.map((size, i) => (size === 1 ? (shapes.at(-1)![i] ?? size) : size));
}

/** What torch's Adagrad sums from, where it is not what its group says. */
function readInitial(group: PlainObject, state: TorchState): number | undefined {
  const sum = state.get('sum')?.data ?? new Float32Array(0);
  const first = sum[0];
  for (let i = 1; i < lengthOf(sum); i++) {
    if (sum[i] === first) continue;
    refuseDict('Expected sum, before the first step, to be the same for all values');
  }
  const given = field(group, 'initialAccumulatorValue');
  return Math.fround(given as number) === first ? undefined : first;
}
