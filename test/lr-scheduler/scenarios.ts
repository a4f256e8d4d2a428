/** Plays the scenarios of test/reference/schedules, as its generate.py does under PyTorch. */

import { readFileSync } from 'node:fs';
import * as gradstep from '../../lib/index.ts';
import { type AnyScheduler, Parameter } from '../../lib/index.ts';

/** [class, arguments] with torch's names. */
export type SchedulerCase = readonly [string, Readonly<Record<string, unknown>>];

interface GroupCase {
  readonly lr: number;
  readonly momentum?: number;
  readonly betas?: readonly [number, number];
}

export interface Scenario {
  readonly name: string;
  readonly steps: number;
  readonly optimizer: 'SGD' | 'Adam';
  readonly groups: readonly GroupCase[];
  readonly scheduler: SchedulerCase;
  readonly beside?: readonly SchedulerCase[];
  readonly switch?: number;
  readonly epochs?: readonly (number | null)[];
  readonly metrics?: keyof typeof METRICS;
  readonly edits?: readonly { after: number; group: number; lr: number }[];
  /** After this step these are the lrs, and the scheduler is made anew with `lastEpoch`. */
  readonly resume?: { readonly after: number; readonly lrs: readonly number[] };
  readonly add?: { readonly after: number; readonly group: GroupCase };
}

/** [lr, momentum] of each group. */
export type Row = readonly (readonly [number, number])[];

function read<T>(file: string): T {
  return JSON.parse(
    readFileSync(new URL(`../reference/schedules/${file}`, import.meta.url), 'utf8'),
  );
}

export const SCENARIOS = read<Scenario[]>('scenarios.json');
export const VALUES = read<Record<string, Row[]>>('values.json');

export const FUNCTIONS: Readonly<Record<string, (x: number) => number>> = {
  decay: (epoch) => 1 / (1 + 0.01 * epoch),
  nearly_one: (epoch) => 1 - 1 / (epoch + 50),
  sine: (x) => 0.5 * (1 + Math.sin((x * Math.PI) / 7)),
};

export const METRICS = {
  rising: (i: number) => 1 + 0.005 * i,
  falling: (i: number) => 10 - 0.0165 * i,
  noisy: (i: number) => 2 / (1 + 0.002 * i) + (0.4 * ((i * 7919) % 101)) / 101,
  nan: (i: number) => (i % 3 ? Number.NaN : 1 - 0.001 * i),
};

/** Which steps of a run were written. */
export function sampled(steps: number): number[] {
  const all = Array.from({ length: steps + 1 }, (_, i) => i);
  return all.filter((i) => i < 200 || i > steps - 50 || i % 37 === 0);
}

const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

function argumentOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(argumentOf);
  const named = typeof value === 'string' && /^named:(.*)$/.exec(value);
  return named ? FUNCTIONS[named[1]!] : value;
}

export type AnyOptimizer = gradstep.SchedulableOptimizer & { step(): void };

/** A scheduler from its description. */
export function build(optimizer: AnyOptimizer, [name, given]: SchedulerCase): AnyScheduler {
  const { schedulers: inner, ...rest } = given as { schedulers?: SchedulerCase[] };
  const options: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [camel(key), argumentOf(value)]),
  );
  const parts = inner?.map((one) => build(optimizer, one));
  if (name === 'ChainedScheduler') return new gradstep.ChainedScheduler(parts!, options);
  if (parts) options.schedulers = parts;
  const kinds = gradstep as unknown as Record<
    string,
    new (
      optimizer: AnyOptimizer,
      options: object,
    ) => AnyScheduler
  >;
  return new kinds[name]!(optimizer, options);
}

const groupOf = (group: GroupCase) => ({ params: new Parameter([0]), ...group });

/** The optimizer of a scenario. */
export function optimizerOf({ optimizer, groups }: Pick<Scenario, 'optimizer' | 'groups'>) {
  const made =
    optimizer === 'SGD'
      ? new gradstep.SGD(groups.map(groupOf))
      : new gradstep.Adam(groups.map(groupOf));
  return made as AnyOptimizer & { addParamGroup(group: object): void };
}

export function rowOf(optimizer: AnyOptimizer): Row {
  return optimizer.paramGroups.map((group) => {
    const { lr, momentum, betas } = group as { lr: number } & GroupCase;
    return [lr, betas?.[0] ?? momentum!];
  });
}

/** The same, with `last_epoch` for each that takes it. */
function resumed([name, given]: SchedulerCase, last_epoch: number): SchedulerCase {
  if (name !== 'ChainedScheduler') return [name, { ...given, last_epoch }];
  const inner = given.schedulers as readonly SchedulerCase[];
  return [name, { schedulers: inner.map((one) => resumed(one, last_epoch)) }];
}

/** Yields the groups at step 0 and after every step. */
export function* play(scenario: Scenario): Generator<Row> {
  const optimizer = optimizerOf(scenario);
  let main = build(optimizer, scenario.scheduler);
  const beside = (scenario.beside ?? []).map((one) => build(optimizer, one));
  yield rowOf(optimizer);
  for (let i = 0; i < Math.min(scenario.steps, scenario.epochs?.length ?? Infinity); i++) {
    optimizer.step();
    if (scenario.switch === undefined) {
      const metric = scenario.metrics && METRICS[scenario.metrics](i);
      main.step(metric ?? scenario.epochs?.[i] ?? undefined);
      for (const scheduler of beside) scheduler.step();
    } else {
      (i < scenario.switch ? main : beside[0]!).step();
    }
    for (const { after, group, lr } of scenario.edits ?? []) {
      if (after === i) optimizer.paramGroups[group]!.lr = lr;
    }
    if (scenario.resume?.after === i) {
      optimizer.paramGroups.forEach((group, g) => {
        group.lr = scenario.resume!.lrs[g]!;
      });
      main = build(optimizer, resumed(scenario.scheduler, i + 1));
    }
    if (scenario.add?.after === i) optimizer.addParamGroup(groupOf(scenario.add.group));
    yield rowOf(optimizer);
  }
}
