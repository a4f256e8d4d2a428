/** The state of one parameter in a state dict: its counts and its arrays. */

import type { Schema } from '../options/schema.ts';
import type { StateArrays } from '../slots/optimizer-memory.ts';
import { describe } from '../support/describe.ts';
import { isFloat32Array, lengthOf } from '../support/typed-arrays.ts';
import type { LiveParameter } from './match.ts';
import { field, type PlainObject, refuseDict } from './plain.ts';

/** What a parameter will remember. */
export interface CheckedState {
  /** As the schema's `record`; zeros if it was never stepped. */
  readonly record: readonly number[];
  /** As the schema's `state`. */
  readonly arrays: StateArrays;
}

/**
 * @param required The kinds of state that the saved options call for.
 * @returns What does not fit, as a sentence, if it is another rule's state.
 * @throws {GradstepError} `ERR_STATE_DICT` for values that are no state of any rule.
 */
export function readState<O extends object>(
  schema: Schema<O>,
  { label, stateLengths }: LiveParameter,
  state: PlainObject | undefined,
  required: readonly number[],
): CheckedState | string {
  if (state === undefined) return { record: schema.record.map(() => 0), arrays: [] };
  const kinds = schema.state.map(({ name }) => String(name));
  const unknown = Object.keys(state).find((key) => ![...schema.record, ...kinds].includes(key));
  if (unknown !== undefined) {
    const known = [...schema.record, ...kinds].join(', ');
    return `Expected state ${known} of parameter ${label} but received '${unknown}'`;
  }
  const needed = [
    ...schema.record.slice(schema.counted ? 0 : 1),
    ...required.filter((k) => stateLengths[k]! >= 0).map((k) => kinds[k]!),
  ];
  const missing = needed.find((name) => field(state, name) === undefined);
  if (missing !== undefined) {
    return `Expected ${missing} in the state of parameter ${label} but it has none`;
  }
  return {
    record: readRecord(schema, state, label),
    arrays: kinds.map((name, k) => readArray(field(state, name), name, label, stateLengths[k]!)),
  };
}

function readRecord<O extends object>(
  { record, counted }: Schema<O>,
  state: PlainObject,
  label: string,
): number[] {
  return record.map((name, at) => {
    // torch has no count for SGD: its momentum is there or not.
    const value = at === 0 && !counted ? (field(state, name) ?? 1) : field(state, name);
    const isRight = at === 0 ? isCount : Number.isFinite;
    if (isRight(value)) return value as number;
    const expected = at === 0 ? 'an integer >= 1' : 'a finite number';
    return refuseDict(
      `Expected ${name} in the state of parameter ${label} to be ${expected} ` +
        `but received ${describe(value)}`,
    );
  });
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function readArray(value: unknown, name: string, label: string, size: number) {
  if (value === undefined) return undefined;
  if (isFloat32Array(value) && lengthOf(value) === size) return value;
  const expected = size < 0 ? 'not there, by its shape,' : `a Float32Array of length ${size}`;
  return refuseDict(
    `Expected ${name} in the state of parameter ${label} to be ${expected} ` +
      `but received ${describe(value)}`,
  );
}
