/** Biases and norms without weight decay. */

import type { NamedParameter } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { type Check, oneOf, optional, parseArguments } from '../schedules/arguments.ts';
import { type Match, type MatchFunction, noMatch, toMatcher } from './match.ts';
import { divide, partOf, readNamed } from './named-groups.ts';
import type { NamedGroup, NamedInput } from './types.ts';

/** Options of `noDecay`. */
export interface NoDecayOptions {
  /** Whose rule says what does not decay. Default: 'both', where either does. */
  readonly rule?: 'both' | 'timm' | 'huggingface';
  /** What else does not decay: embeddings, tokens. Default: nothing. */
  readonly also?: Match;
}

const rules: Record<'timm' | 'huggingface', MatchFunction> = {
  timm: (name, { shape }: ParameterLike) =>
    (Array.isArray(shape) && shape.length <= 1) || name.endsWith('.bias'),
  huggingface: (name) => /bias|layernorm|rmsnorm|(?:^|\.|_)norm(?:$|\.)/.test(name.toLowerCase()),
};

const anything: Check<Match> = (value) => value as Match;
const table = {
  rule: optional(oneOf(['both', 'timm', 'huggingface']), 'both' as const),
  also: optional(anything, [] as readonly Match[]),
};

/**
 * Divides parameters into those that decay, in a group named `decay`, and those that do not, in a
 * group named `no decay` with `weightDecay: 0`. Parameters keep their order; a group without
 * parameters is left out.
 *
 * - timm (`timm/optim/_param_groups.py`, `param_groups_weight_decay`): no decay for what has one
 *   dimension or none, and for names that end in `.bias`.
 * - Hugging Face (`transformers/trainer.py`, `get_decay_parameter_names`): no decay for names
 *   that contain `bias`, `layernorm` or `rmsnorm`, or have a part that is `norm` or ends in
 *   `_norm`, in any case of letters. (Its rule by class, `nn.LayerNorm`, has no counterpart here.)
 *
 * The number of dimensions is that of the parameter's `shape`: give shapes, since a `Parameter`
 * without one has the dimension of its flat array. What has no `shape` at all goes by its name.
 *
 * ```ts
 * const optimizer = new AdamW(noDecay(net.namedParameters()), { weightDecay: 0.05 });
 * ```
 *
 * @param input Named parameters, or groups: each of them is divided by itself.
 * @throws {GradstepError} `ERR_NO_MATCH` when `also` matches nothing; `ERR_INVALID_ARGUMENT`,
 * `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`, and as an optimizer's constructor.
 */
export function noDecay(input: NamedInput, options: NoDecayOptions = {}): NamedGroup[] {
  const { rule, also } = parseArguments<NoDecayOptions>(table, options, 'noDecay()');
  const chosen = rule === 'both' ? Object.values(rules) : [rules[rule]];
  const where = 'also of noDecay()';
  const extra = Array.isArray(also) && also.length === 0 ? undefined : toMatcher(also, where);
  const groups = readNamed(input, 'noDecay()');
  const pairs = groups.flatMap(({ params }) => params);
  if (extra && pairs.length > 0 && !pairs.some((pair) => extra.test(pair))) {
    throw noMatch(
      extra.label,
      where,
      pairs.map(([name]) => name),
    );
  }
  const isSpared = (pair: NamedParameter) =>
    chosen.some((match) => match(...pair)) || extra?.test(pair) === true;
  return groups.flatMap((group) =>
    divide(group, (pair) => (isSpared(pair) ? 1 : 0)).map(([spared, params]) =>
      spared
        ? partOf(group, params, 'no decay', { weightDecay: 0 })
        : partOf(group, params, 'decay'),
    ),
  ) as NamedGroup[];
}
