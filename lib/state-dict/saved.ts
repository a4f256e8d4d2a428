/** An optimizer's state dict as it is read: its structure is right, and each thing has its type. */

import { STEP_KEYS } from '../stepping/step-options.ts';
import { describe } from '../support/describe.ts';
import { lengthOf } from '../support/typed-arrays.ts';
import { isShape } from './parameter-shape.ts';
import { field, isPlainObject, type PlainObject, refuseDict } from './plain.ts';

/** A parameter in the dict. */
export interface ReadParameter {
  readonly id: number;
  /** What errors call it. */
  readonly label: string;
  readonly group: number;
  /** Its place in the group. */
  readonly index: number;
  readonly name: string | undefined;
  /** How many values it has, if the dict tells. */
  readonly size: number | undefined;
  readonly shape: readonly number[] | undefined;
  readonly overrides: PlainObject;
  /** Undefined if it was never stepped. */
  readonly state: PlainObject | undefined;
}

/** A group in the dict. */
export interface ReadGroup {
  readonly index: number;
  readonly params: readonly ReadParameter[];
  readonly name: unknown;
  readonly meta: unknown;
  readonly frozen: unknown;
  readonly initialValues: ReadonlyMap<string, number> | undefined;
  readonly options: PlainObject;
}

/** A whole dict. */
export interface ReadOptimizer {
  readonly type: string | undefined;
  readonly groups: readonly ReadGroup[];
  readonly params: readonly ReadParameter[];
  readonly stepOptions: PlainObject | undefined;
  readonly skips: readonly [number, number] | undefined;
  /** Ids of states that belong to no parameter. */
  readonly strays: readonly string[];
}

/** @throws {GradstepError} `ERR_STATE_DICT`. */
export function readOptimizer(dict: PlainObject): ReadOptimizer {
  const state = field(dict, 'state');
  const groups = field(dict, 'paramGroups');
  if (!isPlainObject(state) || !Array.isArray(groups)) {
    const torch = field(dict, 'param_groups') === undefined ? '' : "; is it PyTorch's?";
    refuseDict(
      'Expected the state dict of an optimizer, with state and paramGroups, but it has ' +
        `${Object.keys(dict).join(', ') || 'nothing'}${torch}`,
    );
  }
  const parameters = field(dict, 'parameters') ?? [];
  if (!Array.isArray(parameters)) return refuse('parameters to be a list', parameters, '');
  const ids = new Set<number>();
  const list = groups.map((group, index) => readGroup(group, index, { ids, parameters, state }));
  const type = field(dict, 'type');
  const known = new Set([...ids].map(String));
  if (type !== undefined && typeof type !== 'string') refuse('type to be a string', type, '');
  return {
    type: type as string | undefined,
    groups: list,
    params: list.flatMap(({ params }) => params),
    stepOptions: readStepOptions(field(dict, 'stepOptions')),
    skips: readSkips(field(dict, 'skips')),
    strays: Object.keys(state).filter((id) => !known.has(id)),
  };
}

function refuse(expected: string, value: unknown, where: string): never {
  return refuseDict(
    `Expected ${expected} in the state dict but received ${describe(value)}${where}`,
  );
}

/** What groups refer to. */
interface Context {
  /** Those of earlier groups, and from now on of this one. */
  readonly ids: Set<number>;
  readonly parameters: readonly unknown[];
  readonly state: PlainObject;
}

const MEMBERS = ['params', 'paramNames', 'name', 'meta', 'frozen', 'initialValues'];

function readGroup(group: unknown, index: number, context: Context): ReadGroup {
  const where = ` (group ${index})`;
  if (!isPlainObject(group)) return refuse('a group to be an object', group, where);
  const ids = field(group, 'params');
  if (!Array.isArray(ids)) return refuse('params of a group to be a list of ids', ids, where);
  const names = field(group, 'paramNames') ?? [];
  if (!Array.isArray(names) || ![0, ids.length].includes(names.length)) {
    return refuse(`paramNames to be a list of ${ids.length} names`, names, where);
  }
  const options = Object.entries(group).filter(([key]) => !MEMBERS.includes(key));
  return {
    index,
    params: ids.map((id, i) => readParameter({ id, name: names[i], group: index, i }, context)),
    name: field(group, 'name'),
    meta: field(group, 'meta'),
    frozen: field(group, 'frozen'),
    initialValues: readInitialValues(field(group, 'initialValues'), where),
    options: Object.fromEntries(options),
  };
}

function readInitialValues(
  values: unknown,
  where: string,
): ReadonlyMap<string, number> | undefined {
  if (values === undefined) return undefined;
  const right = isPlainObject(values) && Object.values(values).every(Number.isFinite);
  if (!right) return refuse('initialValues to be an object of numbers', values, where);
  return new Map(Object.entries(values) as [string, number][]);
}

interface Place {
  readonly id: unknown;
  readonly name: unknown;
  readonly group: number;
  readonly i: number;
}

function readParameter(
  { id, name: given, group, i }: Place,
  { ids, parameters, state }: Context,
): ReadParameter {
  const where = ` (group ${group}, index ${i})`;
  if (!Number.isSafeInteger(id) || (id as number) < 0 || ids.has(id as number)) {
    refuse('an id of a parameter to be an integer >= 0 that stands there once', id, where);
  }
  ids.add(id as number);
  const saved = parameters[id as number] ?? {};
  if (!isPlainObject(saved)) return refuse('a parameter to be an object', saved, where);
  const name = field(saved, 'name') ?? given;
  if (name !== undefined && typeof name !== 'string') refuse('a name to be a string', name, where);
  const own = field(state, String(id));
  if (own !== undefined && !isPlainObject(own)) refuse('state to be an object', own, where);
  const size = field(saved, 'size') ?? sizeOfState(own);
  if (size !== undefined && !(Number.isSafeInteger(size) && (size as number) >= 0)) {
    refuse('a size to be an integer >= 0', size, where);
  }
  const shape = field(saved, 'shape');
  if (shape !== undefined && !isShape(shape, size as number)) {
    refuse(`a shape of ${describe(size)} values`, shape, where);
  }
  const overrides = field(saved, 'overrides') ?? {};
  if (!isPlainObject(overrides)) return refuse('overrides to be an object', overrides, where);
  return {
    id: id as number,
    label: `${name === undefined ? `at index ${i}` : `'${name}'`} (group ${group})`,
    group,
    index: i,
    name: name as string | undefined,
    size: size as number | undefined,
    shape,
    overrides,
    state: own as PlainObject | undefined,
  };
}

function sizeOfState(state: PlainObject | undefined): number | undefined {
  const array = Object.values(state ?? {}).find(ArrayBuffer.isView);
  return array === undefined || array instanceof DataView ? undefined : lengthOf(array);
}

function readStepOptions(options: unknown): PlainObject | undefined {
  if (options === undefined) return undefined;
  if (!isPlainObject(options)) return refuse('stepOptions to be an object', options, '');
  const unknown = Object.keys(options).find((key) => !STEP_KEYS.includes(key));
  if (unknown !== undefined) refuse(`stepOptions to be ${STEP_KEYS.join(', ')}`, unknown, '');
  const entries = Object.entries(options).map(([key, value]) => {
    return [key, value === 'Infinity' || value === '-Infinity' ? Number(value) : value];
  });
  return Object.fromEntries(entries);
}

function readSkips(skips: unknown): readonly [number, number] | undefined {
  if (skips === undefined) return undefined;
  const isCount = (count: unknown) => Number.isSafeInteger(count) && (count as number) >= 0;
  if (!Array.isArray(skips) || skips.length !== 2 || !skips.every(isCount)) {
    return refuse('skips to be two integers >= 0', skips, '');
  }
  return [skips[0] as number, skips[1] as number];
}
