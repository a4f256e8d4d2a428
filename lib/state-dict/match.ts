/** Which parameter and which group here is which in a state dict. */

import { groupLabel } from '../groups/group-input.ts';
import type { GroupTable } from '../groups/group-table.ts';
import { printSize, shapeOf } from './parameter-shape.ts';
import { refuseDict } from './plain.ts';
import type { ReadGroup, ReadOptimizer, ReadParameter } from './saved.ts';
import type { LoadStateDictOptions } from './stateful.ts';

/** A parameter of the optimizer that loads. */
export interface LiveParameter {
  readonly slot: number;
  readonly group: number;
  readonly name: string | undefined;
  readonly size: number;
  readonly shape: readonly number[] | undefined;
  /** How long each kind of its state is; -1: it has none. */
  readonly stateLengths: readonly number[];
  /** What errors call it. */
  readonly label: string;
}

/** A group of it. */
export interface LiveGroup {
  readonly name: string | undefined;
  readonly params: readonly LiveParameter[];
}

/** Who is who. */
export interface Match {
  readonly pairs: readonly { readonly live: LiveParameter; readonly saved: ReadParameter }[];
  /** By group here: that of the dict. */
  readonly groups: readonly (ReadGroup | undefined)[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** Reads shapes, which may run users' getters. */
export function listLive(table: GroupTable<object>): LiveGroup[] {
  const { list, slots, schema } = table;
  return list.map((view, group) => ({
    name: view.name,
    params: table.slotsOf(group).map((slot): LiveParameter => {
      const row = slots.rows[slot]!;
      const { parameter, name, length: size, label } = row;
      const stateLengths = schema.state.map((_, k) => row.stateLength(k));
      return { slot, group, name, size, shape: shapeOf(parameter, size), stateLengths, label };
    }),
  }));
}

/**
 * By name, when all parameters on both sides have different ones, else by their order.
 * @throws {GradstepError} `ERR_STATE_DICT`, when `strict` and not all are on both sides.
 */
export function match(
  live: readonly LiveGroup[],
  saved: ReadOptimizer,
  { strict, options }: Required<LoadStateDictOptions>,
): Match {
  const groups = matchGroups(live, saved.groups);
  const params = live.flatMap((group) => group.params);
  const named = params.length > 0 && haveNames(params) && haveNames(saved.params);
  const found = named ? matchByName(params, saved) : matchByOrder(live, groups);
  const strangers = new Set(saved.params);
  for (const pair of found) strangers.delete(pair.saved);
  const known = new Set(found.map((pair) => pair.live));
  const missing = params.filter((one) => !known.has(one)).map(({ label }) => label);
  const unexpected = [
    ...Array.from(strangers, ({ label }) => label),
    ...saved.strays.map((id) => `state ${id}`),
  ];
  if (strict) {
    if (named) refuseOthers(missing, unexpected);
    if (!named || options === 'load') refuseCount(live, saved.groups);
    if (named && options === 'load') refuseMoves(found, groups);
    if (!named) refuseSizes(live, groups);
    refuseOthers(missing, unexpected);
  }
  return { pairs: found, groups, missing, unexpected };
}

/** Whether all have names, and different ones. */
export function haveNames(list: readonly { readonly name: unknown }[]): boolean {
  const names = new Set(list.map(({ name }) => name));
  return !names.has(undefined) && names.size === list.length;
}

function matchGroups(
  live: readonly LiveGroup[],
  saved: readonly ReadGroup[],
): (ReadGroup | undefined)[] {
  if (!haveNames(live) || !haveNames(saved)) return live.map((_, i) => saved[i]);
  const byName = new Map(saved.map((group) => [group.name, group]));
  return live.map(({ name }) => byName.get(name));
}

function matchByName(live: readonly LiveParameter[], saved: ReadOptimizer): Match['pairs'] {
  const byName = new Map(saved.params.map((one) => [one.name, one]));
  return live.flatMap((one) => {
    const other = byName.get(one.name);
    return other === undefined ? [] : [{ live: one, saved: other }];
  });
}

function matchByOrder(
  live: readonly LiveGroup[],
  saved: readonly (ReadGroup | undefined)[],
): Match['pairs'] {
  return live.flatMap(({ params }, group) =>
    params.flatMap((one, i) => {
      const other = saved[group]?.params[i];
      return other === undefined ? [] : [{ live: one, saved: other }];
    }),
  );
}

/** @throws {GradstepError} `ERR_STATE_DICT` unless nothing is on one side alone. */
export function refuseOthers(missing: readonly string[], unexpected: readonly string[]): void {
  if (missing.length + unexpected.length === 0) return;
  const parts = [
    missing.length > 0 ? `Missing in the state dict: ${some(missing)}. ` : '',
    unexpected.length > 0 ? `Unexpected in the state dict: ${some(unexpected)}. ` : '',
  ];
  refuseDict(`${parts.join('')}strict: false loads what both sides have`);
}

function some(list: readonly string[]): string {
  const first = list.slice(0, 5).join(', ');
  return list.length > 5 ? `${first} and ${list.length - 5} more` : first;
}

function refuseCount(live: readonly LiveGroup[], saved: readonly ReadGroup[]): void {
  if (live.length === saved.length) return;
  const sizes = (groups: readonly { params: { length: number } }[]) =>
    groups.map(({ params }) => params.length).join(', ');
  refuseDict(
    'loaded state dict has a different number of parameter groups. Expected ' +
      `${live.length}, of ${sizes(live)} parameters, but received ${saved.length}, of ${sizes(saved)}`,
  );
}

function refuseMoves(pairs: Match['pairs'], groups: readonly (ReadGroup | undefined)[]): void {
  for (const { live, saved } of pairs) {
    if (groups[live.group]?.index === saved.group) continue;
    refuseDict(
      `Expected parameter ${live.label} in the same group of the state dict but it is in group ` +
        `${saved.group} there; options: 'keep' loads state alone, whatever the groups`,
    );
  }
}

function refuseSizes(live: readonly LiveGroup[], saved: readonly (ReadGroup | undefined)[]): void {
  for (const [i, { name, params }] of live.entries()) {
    const others = saved[i]?.params ?? [];
    if (others.length === params.length) continue;
    const at = params.findIndex((one, k) => others[k] === undefined || misfit(one, others[k]));
    const here = params[at];
    const there = others[at < 0 ? params.length : at];
    const differ =
      `${here ? `${here.label} of ${printSize(here)}` : 'none'} here, ` +
      `${there ? `${there.label} of ${printSize(there)}` : 'none'} in the state dict`;
    refuseDict(
      "loaded state dict contains a parameter group that doesn't match the size of optimizer's " +
        `group. Expected ${params.length} parameters but received ${others.length}; the first ` +
        `that differ: ${differ}${groupLabel(i, name)}`,
    );
  }
}

/** What has a size, and perhaps a shape. */
interface Sized<Size = number | undefined> {
  readonly label: string;
  readonly size: Size;
  readonly shape: readonly number[] | undefined;
}

/** What is wrong with the size or the shape, if something is. */
export function misfit(live: Sized<number>, saved: Sized): string | undefined {
  const { size, shape } = saved;
  const alike =
    shape && live.shape ? shape.join() === live.shape.join() : (size ?? live.size) === live.size;
  if (alike) return undefined;
  const told = { size: size!, ...(live.shape && { shape }) };
  return (
    `Expected parameter ${saved.label} of the state dict to have ${printSize(live)}, as ` +
    `${live.label} has, but received ${printSize(told)}`
  );
}
