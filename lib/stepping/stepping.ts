/** A step of one optimizer, or of many at once: hooks, closure, proof of memory, update. */

import type { Backend } from '../backend/backend.ts';
import type { Phases } from '../slots/phases.ts';
import { SlotTable } from '../slots/slot-table.ts';
import { stamps } from '../support/stamps.ts';
import { lossOf } from './closure.ts';
import { globalHooks, type StepArguments, StepHooks } from './hooks.ts';

/** What takes part in a step: an optimizer, or several that are combined. */
export interface Steppable {
  /** The optimizers that it stands for. */
  readonly steppers: readonly Stepper[];
  /** How many steps it has been through. */
  readonly steps: number;
  /** Runs the pre hooks; gives the arguments as they leave them. */
  before(args: StepArguments): StepArguments;
  /** Asked when the last code of a user has run; what throws ends the step, which changed nothing. */
  readonly guards: Set<() => void>;
  guard(): void;
  /** Runs the post hooks. */
  after(args: StepArguments): void;
  /** Whether a step of it runs hooks or asks guards. */
  readonly listens: boolean;
  /** Proves that its optimizers keep to themselves. */
  verifyApart(): void;
}

const steppables = stamps<Steppable>();

/** What steps this object, if it is an optimizer or several combined. */
export function steppableOf(optimizer: object): Steppable | undefined {
  return steppables.get(optimizer);
}

/** Lets this object take part in steps. */
export function makeSteppable<S extends Steppable>(optimizer: object, steppable: S): S {
  steppables.set(optimizer, steppable);
  return steppable;
}

/** One optimizer as steps see it. */
export class Stepper implements Steppable {
  readonly steppers: readonly Stepper[] = [this];
  readonly hooks: StepHooks<never> = new StepHooks();
  readonly guards: Set<() => void> = new Set();
  steps = 0;

  constructor(
    readonly optimizer: object,
    readonly phases: Phases,
    readonly slots: SlotTable,
    /** Whether the update is code of a user. */
    readonly isOwn: boolean,
  ) {}

  get listens(): boolean {
    return this.hooks.any || this.guards.size > 0;
  }

  before(args: StepArguments): StepArguments {
    return this.hooks.before(this.optimizer as never, globalHooks.before(this.optimizer, args));
  }

  guard(): void {
    for (const guard of this.guards) guard();
  }

  after(args: StepArguments): void {
    this.hooks.after(this.optimizer as never, args);
    globalHooks.after(this.optimizer, args);
  }

  verifyApart(): void {}
}

/**
 * One step of all parts, as if they were one optimizer.
 *
 * @param given The arguments of each, which its pre hooks may replace.
 * @returns What the last closure returned, if there was one.
 * @throws {GradstepError} What anything refuses before the first update; nothing has been updated
 * then. After it, what a user's own update or a post hook throws.
 */
export function stepTogether(parts: readonly Steppable[], given: StepArguments): unknown {
  const steppers = listSteppers(parts);
  for (const { phases } of steppers) phases.require('step', 'idle');
  try {
    const isQuiet = () => !globalHooks.any && !parts.some((part) => part.listens);
    if (given.length === 0 && isQuiet()) {
      run(parts, steppers);
      if (!isQuiet()) runAfter(parts, steppers, () => given); // hooks that a user's getter brought
      return undefined;
    }
    for (const { phases } of steppers) phases.enter('caller');
    const args = parts.map((part) => part.before(given));
    let loss: unknown;
    for (const [closure] of args) if (closure !== undefined) loss = lossOf(closure);
    for (const part of parts) part.guard();
    for (const { phases } of steppers) phases.require('step', 'caller'); // none was disposed
    run(parts, steppers);
    runAfter(parts, steppers, (i) => args[i]!);
    return loss;
  } finally {
    for (const { phases } of steppers) phases.enter('idle');
  }
}

function listSteppers(parts: readonly Steppable[]): readonly Stepper[] {
  if (parts.length === 1) return parts[0]!.steppers;
  const list: Stepper[] = [];
  for (const part of parts) for (const stepper of part.steppers) list.push(stepper);
  return list;
}

function run(parts: readonly Steppable[], steppers: readonly Stepper[]): void {
  for (const { phases } of steppers) phases.enter('step');
  update(parts, steppers);
  for (const stepper of steppers) stepper.steps += 1;
}

function runAfter(
  parts: readonly Steppable[],
  steppers: readonly Stepper[],
  argsOf: (part: number) => StepArguments,
): void {
  for (const { phases } of steppers) phases.enter('caller');
  for (let i = 0; i < parts.length; i++) parts[i]!.after(argsOf(i));
}

/** The same for one optimizer without closure and hooks: a small step takes less than those do. */
export function stepAlone(stepper: Stepper): unknown {
  const { phases, slots } = stepper;
  if (stepper.hooks.any || globalHooks.any) return stepTogether([stepper], []);
  phases.enterStep();
  try {
    slots.refresh();
    slots.verify();
    slots.step();
    stepper.steps += 1;
  } finally {
    phases.enter('idle');
  }
  return undefined;
}

/** First pass, then second, as `SlotTable` has them, over all; then the update. */
function update(parts: readonly Steppable[], steppers: readonly Stepper[]): void {
  for (const { slots } of steppers) slots.refresh();
  verifyAll(steppers);
  if (steppers.length === 1) {
    steppers[0]!.slots.step();
    return;
  }
  for (const part of parts) part.verifyApart();
  const batches = batchesOf(steppers);
  // One backend looks at all of its cores before it begins.
  if (batches.length > 1) for (const { slots } of steppers) slots.verifyOverlap();
  verifyAll(steppers); // again: the iterators since may be a user's
  for (let i = 0; i < batches.length; i++) batches[i]!();
}

function verifyAll(steppers: readonly Stepper[]): void {
  for (let i = 0; i < steppers.length; i++) steppers[i]!.slots.verify();
}

/**
 * The calls of the backends. Users' own updates come last: nothing of a user may run between the
 * proof of memory and a native core, and what fails in them has come after all other checks.
 */
function batchesOf(steppers: readonly Stepper[]): (() => void)[] {
  const byBackend = new Map<Backend, SlotTable[]>();
  const own: (() => void)[] = [];
  let batch: SlotTable[] = [];
  for (const { slots, isOwn } of steppers) {
    if (isOwn) {
      own.push(() => slots.step());
      continue;
    }
    if (batch[0]?.backend !== slots.backend) {
      batch = byBackend.get(slots.backend) ?? [];
      byBackend.set(slots.backend, batch);
    }
    batch.push(slots);
  }
  const builtIn = Array.from(byBackend, ([backend, tables]) => () => {
    SlotTable.stepAll(backend, tables);
  });
  return [...builtIn, ...own];
}
