/** Arguments of commands: words, and flags that each command knows. */

import { nearest } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

/** What came: flags without a value are true. */
export interface Arguments {
  readonly words: readonly string[];
  readonly flags: Readonly<Record<string, string | true>>;
}

/**
 * @param known Flags by name, and whether they take a value. `--help` and `-h` are always known.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT`.
 */
export function readFlags(
  args: readonly string[],
  known: Readonly<Record<string, 'switch' | 'value'>>,
): Arguments {
  const words: string[] = [];
  const flags: Record<string, string | true> = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith('-')) {
      words.push(arg);
      continue;
    }
    const [name = '', inline] = arg === '-h' ? ['help'] : arg.replace(/^--?/, '').split(/=(.*)/s);
    const kind = name === 'help' ? 'switch' : Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) refuseFlag(arg, Object.keys(known));
    if (kind === 'switch') flags[name] = true;
    else flags[name] = inline ?? args[++i] ?? refuse(`Expected a value after ${arg}`);
  }
  return { words, flags };
}

function refuseFlag(arg: string, known: readonly string[]): never {
  const guess = nearest(arg.replace(/^-+/, ''), [...known, 'help']);
  const advice = guess ? `did you mean --${guess}?` : `expected one of --${known.join(', --')}`;
  return refuse(`Unknown flag ${arg}; ${advice}`);
}

export function refuse(sentence: string): never {
  throw new GradstepError('ERR_INVALID_ARGUMENT', sentence);
}

/** A whole number from 1. */
export function countOf(text: string | true | undefined, name: string, initial: number): number {
  if (text === undefined) return initial;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  return refuse(`Expected --${name} to be a whole number from 1 but received '${text}'`);
}
