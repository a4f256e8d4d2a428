/** Groups by patterns over names. */

import type { Json } from '../groups/group-input.ts';
import { checkName } from '../groups/group-input.ts';
import { isObject, type NamedParameter } from '../parameters/list-params.ts';
import { flag, optional, parseArguments } from '../schedules/arguments.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';
import { type Match, type Matcher, noMatch, toMatcher } from './match.ts';
import { divide, type PlainGroup, partOf, readNamed } from './named-groups.ts';
import type { AnyOptions, NamedGroup, NamedInput } from './types.ts';

/** Which parameters are a group, and the options that differ from the defaults there. */
export type GroupRule = AnyOptions & {
  readonly match: Match;
  readonly name?: string;
  readonly meta?: Json;
  readonly frozen?: boolean;
};

/** Options of `groupBy`. */
export interface GroupByOptions {
  /** Let rules match nothing, for a list of rules that serves several networks. Default: false. */
  readonly allowUnmatched?: boolean;
}

/** A rule as it was read. */
interface Rule {
  readonly matcher: Matcher;
  readonly name: string | undefined;
  readonly options: object;
}

const table = { allowUnmatched: optional(flag, false) };

/**
 * Divides parameters into groups by their names. The first rule that matches a parameter has it;
 * what none matches makes a last group, without options of its own. Groups come in the order of
 * the rules, parameters within them in the order given; groups without parameters are left out.
 *
 * ```ts
 * const groups = groupBy(net.namedParameters(), [
 *   { match: 'classifier.**', lr: 1e-3, name: 'head' },
 *   { match: /norm|bias/, weightDecay: 0 },
 * ]);
 * const optimizer = new AdamW(groups, { lr: 1e-4 });
 * ```
 *
 * @param input Named parameters, or groups: each of them is divided by itself, and keeps the
 * options that a rule does not set.
 * @throws {GradstepError} `ERR_NO_MATCH` for a rule that gets no parameter, which is most likely
 * misspelt; `ERR_INVALID_ARGUMENT` for a bad pattern or rule; `ERR_NAMES`,
 * `ERR_INVALID_PARAMETER`, `ERR_INVALID_GROUP` as an optimizer's constructor.
 */
export function groupBy(
  input: NamedInput,
  rules: readonly GroupRule[],
  options: GroupByOptions = {},
): NamedGroup[] {
  const { allowUnmatched } = parseArguments<GroupByOptions>(table, options, 'groupBy()');
  const list = readRules(rules);
  const groups = readNamed(input, 'groupBy()');
  const chosen = new Set<number>();
  const ruleOf = (pair: NamedParameter) => {
    const index = list.findIndex(({ matcher }) => matcher.test(pair));
    chosen.add(index);
    return index < 0 ? list.length : index;
  };
  const result = groups.flatMap((group) =>
    divide(group, ruleOf).map(([index, params]) => {
      const rule = list[index];
      return partOf(group, params, rule?.name, rule?.options);
    }),
  );
  if (!allowUnmatched) checkUsed(list, chosen, groups);
  return result as NamedGroup[];
}

function readRules(rules: unknown): Rule[] {
  if (!Array.isArray(rules)) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected rules of groupBy() to be an array but received ${describe(rules)}`,
    );
  }
  return rules.map((given: unknown, index) => {
    const { match, name, params, paramNames, ...options } = ownProperties(given as PlainGroup);
    if (!isObject(given) || match === undefined || (params ?? paramNames) !== undefined) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        'Expected a rule to be an object with match and options, without params, ' +
          `but received ${describe(given)} (rule ${index} of groupBy())`,
      );
    }
    if (name !== undefined) checkName(name, ` (rule ${index} of groupBy())`);
    const set = Object.entries(options).filter(([, value]) => value !== undefined);
    const matcher = toMatcher(match as Match, `match of rule ${index} of groupBy()`);
    return { matcher, name, options: Object.fromEntries(set) };
  });
}

function checkUsed(
  rules: readonly Rule[],
  chosen: ReadonlySet<number>,
  groups: readonly PlainGroup[],
): void {
  const pairs = groups.flatMap(({ params }) => params);
  const index = rules.findIndex((_, i) => !chosen.has(i));
  if (index < 0 || pairs.length === 0) return;
  const { matcher } = rules[index]!;
  const where = `rule ${index} of groupBy()`;
  if (pairs.some((pair) => matcher.test(pair))) {
    throw new GradstepError(
      'ERR_NO_MATCH',
      `Earlier rules have every parameter that ${matcher.label} matches (${where}); put it first`,
    );
  }
  throw noMatch(
    matcher.label,
    where,
    pairs.map(([name]) => name),
  );
}
