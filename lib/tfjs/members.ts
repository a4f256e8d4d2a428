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
  /** Groups of those that came later, which have the same options. */
  readonly late: Group[];
  readonly members: VariableParameter[];
}

export class Members {
  readonly #tf: TensorFlow;
  readonly #memories: Memories;
  readonly #optimizer: AnyOptimizer;
  /** All groups of the optimizer; it shows those that were asked for. */
  readonly #all: readonly Group[];
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
    this.#all = optimizer.paramGroups as readonly Group[];
    const taken = new Map<VariableLike, number>();
    for (const [index, request] of requests.entries()) {
      const known = request.selection.known();
      for (const variable of known) refuseTwice(variable, index, taken);
      const members = known.map((variable) => this.#make(variable, request));
      const group = this.#addGroup(request.group, members);
      this.#seats.push({ request, group, late: [], members });
    }
    this.#saved = new SavedNames(
      this.#seats.flatMap((seat) =>
        seat.request.selection.savedNames.map((name) => [name, seat] as const),
      ),
    );
  }

  /** The groups that were asked for. */
  get groups(): readonly Group[] {
    return this.#seats.map(({ group }) => group);
  }

  /** All of them, group by group. */
  get list(): readonly VariableParameter[] {
    return this.#seats.flatMap(({ members }) => members);
  }

  get(variable: VariableLike): VariableParameter | undefined {
    return this.#byVariable.get(variable);
  }

  /** What tells, in another process, which variables each group has. */
  save(): SavedSelection[] {
    return this.#seats.map(({ request, members }) => {
      return request.selection.save(members.map(({ name }) => name));
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

  #join(seat: Seat, members: VariableParameter[]): void {
    const { params: _, ...options } = seat.group;
    seat.late.push(this.#addGroup(options, members));
    for (const member of members) seat.members.push(member);
  }

  #addGroup(options: object, members: readonly VariableParameter[]): Group {
    this.#lookAgain();
    for (const member of members) member.data = this.#memories.of(member.variable).dataOf(member);
    this.#optimizer.addParamGroup({ ...options, params: members } as never);
    for (const member of members) this.#byVariable.set(member.variable, member);
    return this.#all.at(-1)!;
  }

  /** Lets later groups have the options of those that they belong to. */
  follow(): void {
    for (const { group, late } of this.#seats) {
      if (late.length === 0) continue;
      const { params: _, ...options } = group;
      for (const other of late) Object.assign(other, options);
    }
  }

  /** Where all values are now: a heap that grew is another, and variables move. */
  refresh(): void {
    for (const { members } of this.#seats) {
      for (const member of members) member.data = this.#memories.of(member.variable).dataOf(member);
    }
  }

  /** Lets the core know where values are: what comes may lie where another one was. */
  #lookAgain(): void {
    if (this.#byVariable.size === 0) return;
    this.refresh();
    this.#optimizer.zeroGrad({ setToNone: false }); // there is none now; it reads all data
  }

  #prune(): void {
    const gone = this.list.filter(({ variable }) => variable.isDisposed);
    if (gone.length === 0) return;
    this.#optimizer.removeParameters(gone);
    for (const member of gone) {
      this.#byVariable.delete(member.variable);
      for (const { members } of this.#seats) {
        const at = members.indexOf(member);
        if (at >= 0) members.splice(at, 1);
      }
    }
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
