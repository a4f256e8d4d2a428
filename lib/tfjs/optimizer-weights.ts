/**
 * The state of an optimizer as TensorFlow.js saves it with a model: a list of named tensors, which
 * comes back before the variables do, under names that may be others.
 */

import type { OptimizerStateDict, SavedState } from '../state-dict/optimizer-dict.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import type { Floats } from '../support/typed-arrays.ts';
import type { AnyOptimizer } from './members.ts';
import { SavedNames } from './saved-names.ts';
import type { NamedTensorLike, TensorFlow } from './tensorflow.ts';
import type { VariableParameter } from './variable-parameter.ts';

/** The tensors beside the arrays of state. They begin as no name of a variable does. */
const ITERATIONS = 'iter';
const NAMES = 'gradstep>names';
const COUNTS = 'gradstep>counts';

/** What one variable remembers: numbers and arrays by name. */
export interface VariableState {
  readonly name: string;
  readonly state: SavedState;
}

/** What was read of a list of weights. */
export interface RestoredState {
  readonly iterations: number;
  readonly states: SavedNames<VariableState>;
  /** Those that have found their variable. */
  readonly taken: Set<VariableState>;
}

/** How state becomes tensors and comes back. */
export interface WeightsFormat {
  encode(
    tf: TensorFlow,
    optimizer: AnyOptimizer,
    members: readonly VariableParameter[],
    iterations: number,
  ): NamedTensorLike[];
  /** @throws {GradstepError} `ERR_STATE_DICT` for what `encode` did not write. */
  decode(weights: readonly NamedTensorLike[]): Promise<RestoredState>;
}

/** First how often the optimizer was called, then names and counts, then all arrays. */
export const ownFormat: WeightsFormat = {
  encode: (tf, optimizer, _members, iterations) => encodeWeights(tf, optimizer, iterations),
  decode: decodeWeights,
};

function encodeWeights(
  tf: TensorFlow,
  optimizer: AnyOptimizer,
  iterations: number,
): NamedTensorLike[] {
  const states = listStates(optimizer.stateDict({ copy: false }));
  const counts = states.map(({ state }) => Object.entries(state).filter(([, v]) => isCount(v)));
  const words = counts.map((list) => JSON.stringify(Object.fromEntries(list)));
  const text = (list: string[]) => tf.tensor(list, [list.length], 'string' as never);
  return [
    { name: ITERATIONS, tensor: tf.tensor([iterations], [], 'int32') },
    { name: NAMES, tensor: text(states.map(({ name }) => name)) },
    { name: COUNTS, tensor: text(words) },
    ...states.flatMap(({ name, state }) =>
      Object.entries(state).flatMap(([key, value]) => {
        if (isCount(value)) return [];
        // A copy: a backend may keep the array, and the next step writes it.
        const tensor = tf.tensor(new Float32Array(value), [value.length], 'float32');
        return [{ name: `${name}/${key}`, tensor }];
      }),
    ),
  ];
}

function isCount(value: number | Floats): value is number {
  return typeof value === 'number';
}

/** By variable, in the order of the optimizer. */
function listStates({ state, parameters }: OptimizerStateDict): VariableState[] {
  return (parameters ?? []).flatMap(({ name }, id) => {
    const mine = state[id];
    return mine === undefined ? [] : [{ name: name!, state: mine }];
  });
}

async function decodeWeights(weights: readonly NamedTensorLike[]): Promise<RestoredState> {
  const values = new Map<string, unknown>();
  for (const { name, tensor } of weights) values.set(name, await tensor.data());
  const [iterations] = listOf(values.get(ITERATIONS), ITERATIONS) as number[];
  const names = listOf(values.get(NAMES), NAMES) as string[];
  const counts = listOf(values.get(COUNTS), COUNTS) as string[];
  const states = names.map((name, i): [string, VariableState] => {
    const state: Record<string, number | Floats> = { ...(JSON.parse(counts[i]!) as object) };
    for (const [key, value] of values) {
      const word = key.slice(name.length + 1);
      if (key.startsWith(`${name}/`) && !word.includes('/') && value instanceof Float32Array) {
        state[word] = new Float32Array(value);
      }
    }
    return [name, { name, state }];
  });
  return { iterations: iterations!, states: new SavedNames(states), taken: new Set() };
}

function listOf(value: unknown, name: string): unknown[] {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as never);
  throw new GradstepError(
    'ERR_STATE_DICT',
    `Expected weights of a gradstep optimizer, with a tensor '${name}', but received ` +
      `${describe(value)}`,
  );
}

/**
 * Gives variables the state that was saved of them: by name, or, when no name is known, by their
 * order. @returns Whether nothing is left.
 * @throws {GradstepError} `ERR_STATE_DICT` for arrays that do not fit; nothing has changed then.
 */
export function restoreState(
  optimizer: AnyOptimizer,
  members: readonly VariableParameter[],
  { states, taken }: RestoredState,
): boolean {
  const pairs = pairUp(members, states, taken);
  if (pairs.length === 0) return taken.size === states.size;
  const { type } = optimizer.stateDict({ copy: false });
  const dict = {
    type: type!,
    state: Object.fromEntries(pairs.map(([, { state }], id) => [id, state])),
    paramGroups: [{ params: pairs.map((_, id) => id) }],
    parameters: pairs.map(([{ name, variable }]) => ({ name, size: variable.size })),
  };
  const { mismatched } = optimizer.loadStateDict(dict, { strict: false, options: 'keep' });
  if (mismatched.length > 0) throw new GradstepError('ERR_STATE_DICT', mismatched[0]!);
  for (const [, state] of pairs) taken.add(state);
  return taken.size === states.size;
}

function pairUp(
  members: readonly VariableParameter[],
  states: SavedNames<VariableState>,
  taken: ReadonlySet<VariableState>,
): [VariableParameter, VariableState][] {
  const left = [...states.values()].filter((state) => !taken.has(state));
  const named = members.flatMap((member): [VariableParameter, VariableState][] => {
    const state = states.get(member.name);
    return state === undefined || taken.has(state) ? [] : [[member, state]];
  });
  if (named.length > 0 || taken.size > 0 || left.length === 0) return named;
  if (members.length === left.length) return left.map((state, i) => [members[i]!, state]);
  throw new GradstepError(
    'ERR_STATE_DICT',
    `Expected variables such as '${left[0]!.name}', of which state was loaded, but the ` +
      `${members.length} of this optimizer have other names, such as '${members[0]?.name}'`,
  );
}
