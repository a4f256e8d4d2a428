/** How several optimizers step as one. */

import type { ParameterLike } from '../parameters/parameter.ts';
import { type StepArguments, StepHooks } from '../stepping/hooks.ts';
import { Steppable, type Stepper } from '../stepping/stepping.ts';
import { GradstepError } from '../support/errors.ts';

/** The optimizers of a `CombinedOptimizer`, and the hooks around theirs. */
export class CombinedStepper extends Steppable {
  readonly single: undefined;
  readonly steppers: readonly Stepper[];
  readonly parts: readonly Steppable[];
  readonly hooks: StepHooks<never> = new StepHooks();
  readonly #optimizer: object;
  /** What `changes` of all slot tables added up to when they were last seen apart. */
  #seen = -1;

  constructor(optimizer: object, parts: readonly Steppable[]) {
    super();
    this.#optimizer = optimizer;
    this.parts = parts;
    this.steppers = parts.flatMap(({ steppers }) => steppers);
  }

  get steps(): number {
    return this.steppers.reduce((most, { steps }) => Math.max(most, steps), 0);
  }

  before(given: StepArguments): StepArguments {
    let args = this.hooks.before(this.#optimizer as never, given);
    for (const part of this.parts) args = part.before(args);
    return args;
  }

  after(args: StepArguments): void {
    for (const part of this.parts) part.after(args);
    this.hooks.after(this.#optimizer as never, args);
  }

  get hasHooks(): boolean {
    return this.hooks.any || this.parts.some((part) => part.hasHooks);
  }

  verifyApart(): void {
    const changes = this.steppers.reduce((sum, { slots }) => sum + slots.changes, 0);
    if (changes === this.#seen) return;
    refuseSharing(this.steppers);
    this.#seen = changes;
  }
}

/**
 * Refuses a parameter, or memory of one, that two optimizers have. A native core is asked, if
 * there is one, since it sees through two buffer objects over one memory.
 *
 * @throws {GradstepError} `ERR_DUPLICATE_PARAMETER`, `ERR_OVERLAP`.
 */
export function refuseSharing(steppers: readonly Stepper[]): void {
  const owners = new Map<ParameterLike, string>();
  const rows = steppers.map(({ slots }, i) =>
    slots.rows.map(({ parameter, data, label: own }) => {
      const label = `${own} of optimizer ${i}`;
      const other = owners.get(parameter);
      if (other !== undefined) throw shared(other, label);
      owners.set(parameter, label);
      return { data, label };
    }),
  );
  const asked = Math.max(
    0,
    steppers.findIndex(({ isOwn }) => !isOwn),
  );
  const others = rows.flatMap((list, i) => (i === asked ? [] : list));
  steppers[asked]?.slots.verifyOverlap(); // what has moved counts where it is now
  steppers[asked]?.slots.refuseOverlap(others);
}

function shared(first: string, second: string): GradstepError {
  return new GradstepError(
    'ERR_DUPLICATE_PARAMETER',
    'some parameters appear in more than one optimizer: ' +
      `parameter ${first} is also parameter ${second}`,
  );
}
