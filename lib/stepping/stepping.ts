/** A step of one optimizer, or of many at once: hooks, closure, proof of memory, update. */

import type { SlotTable } from '../slots/slot-table.ts';
import type { Status } from '../slots/status.ts';
import { stamps } from '../support/stamps.ts';
import { lossOf } from './closure.ts';
import { globalHooks, type StepArguments, StepHooks } from './hooks.ts';
import type { Follower } from './members.ts';
import { warnOfNoGradient } from './no-gradient.ts';
import type { StepSettings } from './step-options.ts';
import { forgetPlans, StepPlan } from './step-plan.ts';

/** Shared by all that have none. */
const NONE: readonly never[] = Object.freeze([]);

/** What takes part in a step: an optimizer, or several that are combined. */
export abstract class Steppable {
  /** The optimizer, if it is one. */
  abstract readonly single: Stepper | undefined;
  /** The optimizers that it stands for. */
  abstract readonly steppers: readonly Stepper[];
  /** What it consists of; nothing, if it is one optimizer. */
  abstract readonly parts: readonly Steppable[];
  /** How many steps it has been through. */
  abstract readonly steps: number;
  /** Whether a step of it runs hooks. */
  abstract readonly hasHooks: boolean;
  #followers: readonly Follower[] = NONE;
  #plan: StepPlan | undefined;

  /** Runs the pre hooks; gives the arguments as they leave them. */
  abstract before(args: StepArguments): StepArguments;
  /** Runs the post hooks. */
  abstract after(args: StepArguments): void;
  /** Proves that its optimizers keep to themselves. */
  abstract verifyApart(): void;

  /** What follows every step of it, in the order in which it was attached. */
  get followers(): readonly Follower[] {
    return this.#followers;
  }

  /** @throws {GradstepError} `ERR_BUSY` in the middle of a step, `ERR_DISPOSED`. */
  attach(follower: Follower, call: string): void {
    for (const { status } of this.steppers) status.require(call, 'idle', 'caller');
    this.#followers = [...this.#followers, follower];
    forgetPlans();
  }

  /** @throws {GradstepError} `ERR_BUSY` in the middle of a step. */
  requireDetachable(call: string): void {
    for (const { status } of this.steppers) {
      if (!status.disposed) status.require(call, 'idle', 'caller');
    }
  }

  /** @throws {GradstepError} As `requireDetachable`. */
  detach(follower: Follower, call: string): void {
    this.requireDetachable(call);
    this.#followers = this.#followers.filter((other) => other !== follower);
    forgetPlans();
  }

  /** The plan of a step of this alone. */
  get plan(): StepPlan {
    const parts = [this];
    if (!this.#plan?.fits(parts)) this.#plan = new StepPlan(parts);
    return this.#plan;
  }
}

const steppables = stamps<Steppable>();

/** What steps this object, if it is an optimizer or several combined. */
export function steppableOf(optimizer: object): Steppable | undefined {
  return steppables.get(optimizer);
}

/** Lets this object take part in steps. */
export function registerSteppable<S extends Steppable>(optimizer: object, steppable: S): S {
  steppables.set(optimizer, steppable);
  return steppable;
}

/** One optimizer as steps see it. */
export class Stepper extends Steppable {
  readonly steppers: readonly Stepper[] = [this];
  readonly parts: readonly Steppable[] = NONE;
  readonly hooks: StepHooks<never> = new StepHooks();
  steps = 0;
  /** How many parameters had a gradient in the last step. */
  parameters = 0;

  constructor(
    readonly optimizer: object,
    readonly status: Status,
    readonly slots: SlotTable,
    /** Whether the update is code of a user. */
    readonly isOwn: boolean,
    readonly settings: StepSettings,
  ) {
    super();
  }

  get single(): Stepper {
    return this;
  }

  get hasHooks(): boolean {
    return this.hooks.any;
  }

  before(args: StepArguments): StepArguments {
    return this.hooks.before(this.optimizer as never, globalHooks.before(this.optimizer, args));
  }

  after(args: StepArguments): void {
    this.hooks.after(this.optimizer as never, args);
    globalHooks.after(this.optimizer, args);
  }

  verifyApart(): void {}

  /** Counts a step; gives how many parameters had a gradient in it. */
  count(): number {
    this.steps += 1;
    this.parameters = this.slots.gradientCount;
    return this.parameters;
  }
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
  for (const { status } of steppers) status.require('step', 'idle');
  try {
    const isQuiet = () => !globalHooks.any && !parts.some((part) => part.hasHooks);
    if (given.length === 0 && isQuiet()) {
      run(parts, steppers);
      if (!isQuiet()) runAfter(parts, steppers, () => given); // hooks that a user's getter brought
      return undefined;
    }
    for (const { status } of steppers) status.enter('caller');
    const args = parts.map((part) => part.before(given));
    let loss: unknown;
    for (const [closure] of args) if (closure !== undefined) loss = lossOf(closure);
    for (const { status } of steppers) status.require('step', 'caller'); // none was disposed
    run(parts, steppers);
    runAfter(parts, steppers, (i) => args[i]!);
    return loss;
  } finally {
    for (const { status } of steppers) status.enter('idle');
  }
}

function listSteppers(parts: readonly Steppable[]): readonly Stepper[] {
  if (parts.length === 1) return parts[0]!.steppers;
  const list: Stepper[] = [];
  for (const part of parts) for (const stepper of part.steppers) list.push(stepper);
  return list;
}

function run(parts: readonly Steppable[], steppers: readonly Stepper[]): void {
  const plan = planOf(parts);
  plan.guard();
  for (const { status } of steppers) status.enter('step');
  plan.enter('here');
  try {
    plan.refresh();
    plan.verify();
    if (steppers.length > 1) {
      for (const part of parts) part.verifyApart();
      plan.verify(); // again: the iterators since may be a user's
    }
    plan.run();
  } finally {
    plan.leave();
  }
  countStep(steppers);
}

/** Counts a step of each, and warns where none of them found a gradient. */
function countStep(steppers: readonly Stepper[]): void {
  let gradients = 0;
  for (let i = 0; i < steppers.length; i++) gradients += steppers[i]!.count();
  if (gradients === 0) warnOfNoGradient(steppers);
}

/** Of the last step of several: mostly the next one is the same. It keeps nobody alive. */
let last: WeakRef<StepPlan> | undefined;

function planOf(parts: readonly Steppable[]): StepPlan {
  if (parts.length === 1) return parts[0]!.plan;
  let plan = last?.deref();
  if (!plan?.fits(parts)) {
    plan = new StepPlan([...parts]);
    last = new WeakRef(plan);
  }
  return plan;
}

function runAfter(
  parts: readonly Steppable[],
  steppers: readonly Stepper[],
  argsOf: (part: number) => StepArguments,
): void {
  for (const { status } of steppers) status.enter('caller');
  for (let i = 0; i < parts.length; i++) parts[i]!.after(argsOf(i));
}

/** The same for one optimizer without closure and hooks: a small step takes less than those do. */
export function stepAlone(stepper: Stepper): unknown {
  const { status, slots } = stepper;
  if (stepper.hooks.any || globalHooks.any || stepper.followers.length > 0) {
    return stepTogether([stepper], []);
  }
  status.enterStep();
  try {
    slots.refresh();
    slots.verify();
    slots.step();
    if (stepper.count() === 0 && slots.size > 0) warnOfNoGradient([stepper]);
  } finally {
    status.enter('idle');
  }
  return undefined;
}
