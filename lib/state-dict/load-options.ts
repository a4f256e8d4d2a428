/** The hyperparameters in a state dict: checked first, taken over later. */

import {
  checkGroupFrozen,
  checkMeta,
  checkName,
  groupLabel,
  type Json,
} from '../groups/group-input.ts';
import type { GroupTable } from '../groups/group-table.ts';
import { replaceInitialValues } from '../groups/initial-values.ts';
import { ownOptions, settleOverride, structFor } from '../groups/override-parameter.ts';
import { whereOverridden } from '../groups/overrides.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import type { Doubles } from '../support/typed-arrays.ts';
import type { Match } from './match.ts';
import type { Savable } from './optimizer-dict.ts';
import type { PlainObject } from './plain.ts';
import type { ReadGroup, ReadOptimizer } from './saved.ts';

type Options = Record<string, unknown>;

/** What one parameter overrides, and what is in force for it then. */
interface ParameterOptions {
  readonly slot: number;
  readonly values: object | null;
  readonly inForce: object;
  /** As a struct holds it. */
  readonly doubles: Doubles;
  struct?: Doubles;
}

/** Everything that groups take over. */
export interface CheckedOptions {
  readonly groups: readonly {
    readonly index: number;
    readonly saved: ReadGroup;
    /** As its struct will hold them. */
    readonly doubles: Doubles;
  }[];
  readonly params: readonly ParameterOptions[];
  readonly stepOptions: Required<StepOptions> | undefined;
  readonly skips: readonly [number, number] | undefined;
  /** Options in the dict that there are not here. */
  readonly unexpected: readonly string[];
}

/**
 * @param strict Whether an option that is not known is an error.
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`, `ERR_INVALID_GROUP`.
 */
export function checkOptions(
  { table, settings }: Savable,
  saved: ReadOptimizer,
  { groups, pairs }: Match,
  strict: boolean,
): CheckedOptions {
  const unexpected: string[] = [];
  const only = (options: PlainObject, where: string): Options => {
    const unknown = Object.keys(options).filter((key) => !table.schema.keys.includes(key));
    if (strict || unknown.length === 0) return options;
    unexpected.push(...unknown.map((key) => `option ${key}${where}`));
    return Object.fromEntries(Object.entries(options).filter(([key]) => !unknown.includes(key)));
  };
  const checked = groups.flatMap((group, index) => {
    if (group === undefined) return [];
    const options = checkGroup(table, group, only);
    return [{ index, saved: group, options, doubles: table.schema.encode(options) }];
  });
  const overridden = new Map(pairs.map(({ live, saved }) => [live.slot, saved.overrides]));
  const params = checked.flatMap(({ index, options }) =>
    table.slotsOf(index).map((slot) => {
      const mine = overridden.get(slot);
      return checkParameter(table, slot, options, mine && only(mine, ''));
    }),
  );
  const stepOptions = saved.stepOptions && settings.parse(saved.stepOptions, ' (stepOptions)');
  return { groups: checked, params, stepOptions, skips: saved.skips, unexpected };
}

function checkGroup(
  { schema }: GroupTable<object>,
  { index, name, meta, frozen, options }: ReadGroup,
  only: (options: PlainObject, where: string) => Options,
): object {
  const where = `${groupLabel(index, undefined).slice(0, -1)} of the state dict)`;
  if (name !== undefined) checkName(name, where);
  if (meta !== undefined) checkMeta(meta, where);
  if (frozen !== undefined) checkGroupFrozen(frozen, where);
  return schema.parse(only(options, where), schema.initial(), where, []);
}

/** @param saved What it overrides in the dict; undefined if it is not there. */
function checkParameter(
  { schema, slots, rows }: GroupTable<object>,
  slot: number,
  group: object,
  saved: Options | undefined,
): ParameterOptions {
  const { parameter, group: index, label } = slots.rows[slot]!;
  const given = saved ?? rows[index]!.overrides.get(parameter)?.values ?? {};
  const inForce = schema.parse(given, group, whereOverridden(label), []);
  const values = ownOptions(schema, given, inForce);
  return { slot, values, inForce, doubles: schema.encode(inForce) };
}

/** Takes the memory that this needs. */
export function reserveOptions(table: GroupTable<object>, { params }: CheckedOptions): void {
  for (const one of params) if (one.values !== null) one.struct = structFor(table, one.slot);
}

/** Changes everything; cannot fail. */
export function commitOptions({ table, settings }: Savable, checked: CheckedOptions): void {
  for (const { index, saved, doubles } of checked.groups) {
    const view = table.list[index]!;
    table.rows[index]!.struct.set(doubles);
    if (saved.name !== undefined) view.name = saved.name as string;
    if (saved.meta !== undefined) view.meta = saved.meta as Json;
    if (saved.frozen !== undefined && saved.frozen !== (view.frozen === true)) {
      view.frozen = saved.frozen as boolean;
    }
    if (saved.initialValues) replaceInitialValues(view, saved.initialValues);
  }
  for (const { slot, values, doubles, struct } of checked.params) {
    const { group, parameter } = table.slots.rows[slot]!;
    if (values === null && !table.rows[group]!.overrides.get(parameter)) continue;
    settleOverride(table, slot, values && { values, doubles, struct: struct! });
  }
  if (checked.stepOptions) settings.write(checked.stepOptions);
  if (checked.skips) settings.skips = checked.skips;
}
