/** What a bound optimizer does with gradients of TensorFlow.js: `applyGradients`. */

import { type GradientsInput, listUpdates, type Update } from './gradients-input.ts';
import type { GroupRequest } from './group-requests.ts';
import { type AnyOptimizer, Members } from './members.ts';
import { Memories, type MemoryOptions } from './memory/memories.ts';
import {
  ownFormat,
  type RestoredState,
  restoreState,
  type WeightsFormat,
} from './optimizer-weights.ts';
import type { NamedTensorLike, TensorFlow } from './tensorflow.ts';
import type { VariableParameter } from './variable-parameter.ts';

/** How `bindTfjs` binds. */
export interface BindOptions extends Partial<MemoryOptions> {}

/** The same, and how state is saved. */
export interface DriverOptions extends BindOptions {
  readonly format?: WeightsFormat;
}

/** A variable that is stepped this time. */
interface Stepped {
  readonly parameter: VariableParameter;
  readonly gradient: Update['gradient'];
}

export class Driver {
  readonly members: Members;
  readonly #tf: TensorFlow;
  readonly #memories: Memories;
  readonly #optimizer: AnyOptimizer;
  readonly #format: WeightsFormat;
  /** State that was loaded before its variables had come. */
  #restored: RestoredState | undefined;
  /** What `getWeights` gave last. */
  #given: readonly NamedTensorLike[] = [];

  /** @throws {GradstepError} As `addParamGroup`. */
  constructor(
    tf: TensorFlow,
    optimizer: AnyOptimizer,
    requests: readonly GroupRequest[],
    { inPlace = false, format = ownFormat }: DriverOptions,
  ) {
    this.#format = format;
    this.#tf = tf;
    this.#optimizer = optimizer;
    this.#memories = new Memories(tf, { inPlace });
    this.members = new Members(tf, this.#memories, optimizer, requests);
  }

  /** @throws {GradstepError} As `listUpdates` and `step`; no variable has changed its values then. */
  apply(given: GradientsInput): void {
    const stepped = this.#listStepped(listUpdates(this.#tf, given));
    for (const { parameter } of stepped) this.#memories.of(parameter.variable).prepare(parameter);
    // From here on nothing allocates in a backend: views hold.
    this.members.refresh();
    try {
      for (const { parameter, gradient } of stepped) {
        parameter.grad = this.#memories.gradOf(gradient);
      }
      this.#optimizer.step();
    } finally {
      for (const { parameter } of stepped) parameter.grad = null;
    }
    for (const { parameter } of stepped) {
      this.#memories.of(parameter.variable).commit(parameter);
    }
    for (const { parameter } of stepped) this.#constrain(parameter);
  }

  #listStepped(updates: readonly Update[]): Stepped[] {
    const fresh = this.members.admit(updates.map(({ variable }) => variable));
    if (fresh.length > 0) this.#restore();
    return updates.flatMap(({ variable, gradient }) => {
      const parameter = this.members.get(variable);
      return parameter === undefined ? [] : [{ parameter, gradient }];
    });
  }

  #constrain({ variable, constraint }: VariableParameter): void {
    if (!constraint) return;
    this.#tf.tidy(() => variable.assign(constraint.apply(variable)));
  }

  /** The state as tensors, those of the last call are disposed of. */
  getWeights(iterations: number): NamedTensorLike[] {
    this.#disposeGiven();
    const { list } = this.members;
    const weights = this.#format.encode(this.#tf, this.#optimizer, list, iterations);
    this.#given = weights;
    return weights;
  }

  /**
   * Keeps state until its variables come; those that have come get it now.
   * @returns How often the optimizer had been called.
   * @throws {GradstepError} `ERR_STATE_DICT`.
   */
  async setWeights(weights: readonly NamedTensorLike[]): Promise<number> {
    this.#restored = await this.#format.decode(weights);
    const { iterations } = this.#restored;
    if (this.members.list.length > 0) this.#restore();
    return iterations;
  }

  #restore(): void {
    if (this.#restored === undefined) return;
    this.members.refresh();
    if (restoreState(this.#optimizer, this.members.list, this.#restored))
      this.#restored = undefined;
  }

  #disposeGiven(): void {
    for (const { tensor } of this.#given) if (!tensor.isDisposed) tensor.dispose();
    this.#given = [];
  }

  dispose(): void {
    this.#disposeGiven();
  }
}
