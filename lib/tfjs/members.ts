/** The variables of one optimizer, in their groups: they come with their first gradient. */

import type { ParamGroup } from '../groups/param-group.ts';
import type { Optimizer } from '../optimizer/optimizer.ts';
import { GradstepError } from '../support/errors.ts';
import type { GroupRequest } from './group-requests.ts';
import type { Memories } from './memory/memories.ts';
import { SavedNames } from './saved-names.ts';
import type { SavedSelection } from './selection.ts';
import type { TensorFlow, VariableLike } from './tensorflow.ts';
import { VariableParameter } from './variable-parameter.ts';

/** Any optimizer of gradstep. */
// biome-ignore lint/suspicious/noExplicitAny: options and state of any kind
export type AnyOptimizer = Optimizer<any, any>;

type Group = ParamGroup<object>;

/** A group as it was asked for, with what has come of it. */
interface Seat {
  readonly request: GroupRequest;
  readonly group: Group;
}

export class Members {
  readonly #tf: TensorFlow;
  readonly #memories: Memories;
  readonly #optimizer: AnyOptimizer;
  readonly #seats: Seat[] = [];
  readonly #byVariable = new Map<VariableLike, VariableParameter>();
  /** Which group a variable was in when it was saved. */
  readonly #saved: SavedNames<Seat>;
  #proven = false;

  /** @throws {GradstepError} As `addParamGroup`. */
  constructor(
    tf: TensorFlow,
    memories: Memories,
    optimizer: AnyOptimizer,
    requests: readonly GroupRequest[],
  ) {
    this.#tf = tf;
    this.#memories = memories;
    this.#optimizer = optimizer;
    const taken = new Map<VariableLike, number>();
    for (const [index, request] of requests.entries()) {
      const known = request.selection.known();
      for (const variable of known) refuseTwice(variable, index, taken);
      optimizer.addParamGroup({ ...request.group, params: [] } as never);
      const seat = { request, group: optimizer.paramGroups.at(-1) as Group };
      this.#seats.push(seat);
      this.#join(
        seat,
        known.map((variable) => this.#make(variable, request)),
      );
    }
    this.#saved = new SavedNames(
      this.#seats.flatMap((seat) =>
        seat.request.selection.savedNames.map((name) => [name, seat] as const),
      ),
    );
  }

  /** All of them, group by group. */
  get list(): readonly VariableParameter[] {
    return this.#seats.flatMap(({ group }) => group.params as readonly VariableParameter[]);
  }

  get(variable: VariableLike): VariableParameter | undefined {
    return this.#byVariable.get(variable);
  }

  /** What tells, in another process, which variables each group has. */
  save(): SavedSelection[] {
    return this.#seats.map(({ request, group }) => {
      return request.selection.save(group.params.map(({ name }) => name!));
    });
  }

  /**
   * Lets go of those that were disposed of, and lets in those that are new; those that are in no
   * group stay outside.
   *
   * @returns The new ones.
   * @throws {GradstepError} `ERR_NO_MATCH` for a pattern that fits no variable.
   */
  admit(variables: readonly VariableLike[]): VariableParameter[] {
    this.#prune();
    const fresh = variables.filter((variable) => !this.#byVariable.has(variable));
    if (fresh.length === 0) return [];
    this.#refuseMisspelt();
    const bySeat = new Map<Seat, VariableParameter[]>();
    for (const variable of fresh) {
      const seat = this.#seatOf(variable);
      if (seat === undefined) continue;
      const member = this.#make(variable, seat.request);
      if (bySeat.get(seat)?.push(member) === undefined) bySeat.set(seat, [member]);
    }
    for (const [seat, members] of bySeat) this.#join(seat, members);
    return [...bySeat.values()].flat();
  }

  #seatOf(variable: VariableLike): Seat | undefined {
    return (
      this.#seats.find(({ request }) => request.selection.has(variable)) ??
      this.#saved.get(variable.name) ??
      this.#seats.find(({ request }) => request.selection.matches(variable))
    );
  }

  /** Once, at the first gradients: all variables are there by then. */
  #refuseMisspelt(): void {
    if (this.#proven) return;
    const names = Object.keys(this.#tf.engine().registeredVariables);
    for (const [index, { request }] of this.#seats.entries()) {
      const pattern = request.selection.misspelt(names);
      if (pattern === undefined) continue;
      const some = names.slice(0, 3).map((name) => `'${name}'`);
      throw new GradstepError(
        'ERR_NO_MATCH',
        `${pattern} matches no variable (group ${index}). The names are ${some.join(', ')}` +
          `${names.length > 3 ? ` and ${names.length - 3} more` : ''}`,
      );
    }
    this.#proven = true;
  }

  #make(variable: VariableLike, { selection }: GroupRequest): VariableParameter {
    const weight = selection.weightOf(variable);
    const member = new VariableParameter(variable, weight?.constraint);
    // Two variables may be of one tensor until one of them is written.
    this.#memories.of(variable).prepare(member);
    return member;
  }

  #join({ group }: Seat, members: readonly VariableParameter[]): void {
    this.refresh();
    for (const member of members) member.data = this.#memories.of(member.variable).dataOf(member);
    this.#optimizer.addParameters(group, members);
    for (const member of members) this.#byVariable.set(member.variable, member);
  }

  /** Where all values are now: a heap that grew is another, and variables move. */
  refresh(): void {
    for (const member of this.#byVariable.values()) {
      member.data = this.#memories.of(member.variable).dataOf(member);
    }
  }

  #prune(): void {
    const gone = [...this.#byVariable.values()].filter(({ variable }) => variable.isDisposed);
    if (gone.length === 0) return;
    this.#optimizer.removeParameters(gone);
    for (const { variable } of gone) this.#byVariable.delete(variable);
  }
}

function refuseTwice(
  variable: VariableLike,
  group: number,
  taken: Map<VariableLike, number>,
): void {
  const other = taken.get(variable);
  if (other !== undefined) {
    throw new GradstepError(
      'ERR_DUPLICATE_PARAMETER',
      'some parameters appear in more than one parameter group: ' +
        `variable '${variable.name}' is in group ${other} and group ${group}`,
    );
  }
  taken.set(variable, group);
}
