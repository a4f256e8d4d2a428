/** Ways to say which parameters are meant: patterns, regular expressions, functions. */

import type { NamedParameter } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { globToRegExp } from './glob.ts';

/** Decides about one parameter. */
export type MatchFunction = (name: string, parameter: ParameterLike) => boolean;

/**
 * Which parameters are meant. A string is a pattern for the whole name: `*` is any text without a
 * dot, `?` one character, `**` any number of parts between dots, `{a,b}` either. A RegExp may
 * match anywhere in the name. An array means what any of its items means.
 */
export type Match = string | RegExp | MatchFunction | readonly Match[];

/** A match in force. */
export interface Matcher {
  /** What error sentences call it. */
  readonly label: string;
  test(pair: NamedParameter): boolean;
}

/**
 * @param what What error sentences call the match: `match of rule 2`.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is none of these, or a bad pattern.
 */
export function toMatcher(match: Match, what: string): Matcher {
  if (typeof match === 'string') return { ...fromRegExp(globToRegExp(match)), label: `'${match}'` };
  if (typeof match === 'function') return fromFunction(match, what);
  if (Array.isArray(match) && match.length > 0) {
    const any = match.map((item: Match) => toMatcher(item, what));
    const label = any.map((matcher) => matcher.label).join(', ');
    return { label, test: (pair) => any.some((matcher) => matcher.test(pair)) };
  }
  if (Object.prototype.toString.call(match) === '[object RegExp]') {
    const { source, flags } = match as RegExp;
    // Without `g` and `y` it keeps no place from one name to the next.
    return { ...fromRegExp(new RegExp(source, flags.replace(/[gy]/g, ''))), label: String(match) };
  }
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected ${what} to be a pattern such as '**.bias', a RegExp, a function or an array of ` +
      `these but received ${describe(match)}`,
  );
}

function fromRegExp(pattern: RegExp): Omit<Matcher, 'label'> {
  return { test: ([name]) => pattern.test(name) };
}

function fromFunction(decide: MatchFunction, what: string): Matcher {
  return {
    label: describe(decide),
    test([name, parameter]) {
      const answer: unknown = decide(name, parameter);
      if (typeof answer === 'boolean') return answer;
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected ${what} to return true or false for '${name}' but received ${describe(answer)}`,
      );
    },
  };
}

/** Matches that found nothing are most likely misspelt. */
export function noMatch(label: string, where: string, names: readonly string[]): GradstepError {
  const some = names.slice(0, 3).map((name) => `'${name}'`);
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return new GradstepError(
    'ERR_NO_MATCH',
    `${label} matches no parameter (${where}). The names are ${some.join(', ')}${more}`,
  );
}
