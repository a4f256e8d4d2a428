/**
 * Everything that one step reads and writes, in the order in which it does: the one place from
 * which keeping alive, memory in use, sharing and the order of effects follow, in every backend.
 *
 * A step has members: optimizers, and averages that follow them. A member is a table that holds a
 * core and, with it, everything that the core borrows (arrays, structs, records); whoever holds the
 * table keeps all of that alive. An optimizer's `Stepper` holds its own table and those of its
 * followers, so that an average which nobody else remembers goes on. No core knows another one:
 * which of them are stepped together is said anew in each call, here.
 *
 * The order: optimizers as they were given, and after each the averages that are attached to it,
 * with the bits of stepping one after the other; averages of a combination after its last
 * optimizer. Whose update is code of a user comes last, with what follows it. Gradients
 * are zeroed, where options ask for it, after all have read them; post hooks come after that. An
 * average follows the steps of what it was attached to, and is left alone when all of them are
 * skipped.
 *
 * What a step does: `guard` asks averages that cannot follow; `refresh` reads users' objects, whose
 * getters may do anything but change a member; `verify` proves, by indices alone and with no code
 * of a user after it, that every array is there and as long as it was. Then every core prepares:
 * it looks at overlaps, options and gradients, and takes its bytes in the register of busy memory
 * (`native/core/busy_memory.h`), which all backends share. Only when the last has agreed does the
 * first one write. The native core makes all of that one call, finds out by addresses who may run
 * at the same time, and lets an average go along in its optimizer's pass where it reads just what
 * that one has written (`native/core/step_sequence.h`).
 *
 * Whoever takes part is busy from `enter` to `leave`, also while a step is in the background: it is
 * not disposed of, attached or detached meanwhile. So nothing borrows the memory of a table whose
 * optimizer or average has been disposed of.
 */

import type { Backend, CoreSequence } from '../backend/backend.ts';
import { nextTurn } from '../support/next-turn.ts';
import type { Follower, Leader, Member, Part } from './members.ts';

/** A member, and what it does there. */
interface Entry {
  readonly member: Member;
  /** For an optimizer. */
  readonly stepper?: Leader;
  /** For an average: the optimizers after whose steps it is updated. */
  readonly leaders: readonly Leader[];
}

/** Whether the update is code of a user. */
function isOwn({ member, stepper }: Entry): boolean {
  return (stepper ?? member).isOwn === true;
}

/** Neighbours that one backend steps in one call. */
interface Segment {
  readonly backend: Backend;
  readonly entries: Entry[];
  readonly follows: number[];
  readonly places: Map<Leader, number>;
  /** If none of these has moved, it is passed over. */
  readonly leaders: readonly Leader[];
  readonly isOwn: boolean;
  /** Code of a user has run since the proof. */
  readonly afterOwn: boolean;
  sequence: CoreSequence;
}

/** As `Backend.sequence` counts, if this entry can be the next of this segment. */
function followsIn(segment: Segment, entry: Entry): number | undefined {
  const { member, leaders } = entry;
  const isApart = segment.isOwn || segment.leaders.length > 0 || isOwn(entry);
  if (isApart || segment.backend !== member.backend) return undefined;
  let first = segment.entries.length;
  for (const leader of leaders) first = Math.min(first, segment.places.get(leader) ?? -1);
  return first < 0 ? undefined : segment.entries.length - first;
}

function add(segment: Segment, entry: Entry, follows: number): void {
  if (entry.stepper !== undefined) segment.places.set(entry.stepper, segment.entries.length);
  segment.entries.push(entry);
  segment.follows.push(follows);
}

let attachments = 0;

/** Something has been attached or detached: plans are made anew. */
export function forgetPlans(): void {
  attachments += 1;
}

export class StepPlan {
  readonly #parts: readonly Part[];
  readonly #attachments = attachments;
  readonly #entries: Entry[] = [];
  readonly #followers: Follower[] = [];
  readonly #segments: Segment[] = [];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    for (const part of parts) this.#collect(part);
    const isLate = (entry: Entry) => isOwn(entry) || entry.leaders.some((leader) => leader.isOwn);
    this.#entries = [
      ...this.#entries.filter((entry) => !isLate(entry)),
      ...this.#entries.filter(isLate),
    ];
    for (const entry of this.#entries) this.#place(entry);
    for (const segment of this.#segments) {
      const cores = segment.entries.map(({ member }) => member.core);
      segment.sequence = segment.backend.sequence(cores, segment.follows);
    }
  }

  /** Whether it is still the plan of these. */
  fits(parts: readonly Part[]): boolean {
    if (this.#attachments !== attachments || this.#parts.length !== parts.length) return false;
    for (let i = 0; i < parts.length; i++) if (parts[i] !== this.#parts[i]) return false;
    return true;
  }

  #collect(part: Part): void {
    for (const inner of part.parts) this.#collect(inner);
    const stepper = part.single;
    if (stepper) this.#entries.push({ member: stepper.slots, stepper, leaders: [] });
    for (const follower of part.followers) {
      this.#followers.push(follower);
      this.#entries.push({ member: follower.table, leaders: part.steppers });
    }
  }

  /** At the end of the last segment, if it can be stepped in the same call. */
  #place(entry: Entry): void {
    const last = this.#segments.at(-1);
    const follows = last === undefined ? undefined : followsIn(last, entry);
    if (last === undefined || follows === undefined) this.#open(entry);
    else add(last, entry, follows);
  }

  #open(entry: Entry): void {
    const segment: Segment = {
      backend: entry.member.backend,
      entries: [],
      follows: [],
      places: new Map(),
      leaders: entry.leaders,
      isOwn: isOwn(entry),
      afterOwn: this.#segments.some(({ isOwn }) => isOwn),
      sequence: undefined as never, // when all entries are there
    };
    add(segment, entry, 0);
    this.#segments.push(segment);
  }

  /** Refuses a step that an average could not follow. */
  guard(): void {
    for (const follower of this.#followers) follower.guard();
  }

  enter(where: 'here' | 'background'): void {
    for (const follower of this.#followers) follower.enter(where);
  }

  leave(): void {
    for (const follower of this.#followers) follower.leave();
  }

  /** First pass: users' getters run here. */
  refresh(): void {
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) entries[i]!.member.refresh();
  }

  /** Second pass: no code of a user from its beginning to the end of `run`, but users' updates. */
  verify(): void {
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) entries[i]!.member.verify();
  }

  /** The step itself. What fails before the first user's update has changed nothing. */
  run(): void {
    if (this.#segments.length !== 1) {
      this.#runSegments();
      return;
    }
    this.#ask(this.#segments[0]!, 'step');
    this.#count(this.#segments[0]!);
  }

  /**
   * As `run`, on another thread where that is possible; a turn of the event loop passes in any case.
   * @returns False if it was cancelled before it began.
   */
  async runInBackground(): Promise<boolean> {
    for (const { member } of this.#entries) member.verifyShared();
    for (const { member } of this.#entries) member.verifyOverlap();
    this.verify();
    const [segment, ...others] = this.#segments as [Segment, ...Segment[]];
    if (others.length > 0 || segment.backend.name !== 'native') {
      this.run();
      await nextTurn();
      return true;
    }
    // Whoever waits here keeps this plan, and it every array.
    const failure = await segment.sequence.stepInBackground();
    if (failure === false) return false;
    if (failure !== undefined) throw segment.entries[failure.core]!.member.explain(failure);
    this.#count(segment);
    return true;
  }

  cancelBackground(): void {
    this.#segments[0]!.sequence.cancelBackground();
  }

  #ask({ sequence, entries }: Segment, what: 'step' | 'prepare'): void {
    if (sequence[what]() === undefined) return;
    // Perhaps only a claim on memory that is long gone: then it succeeds at once.
    for (let i = 0; i < entries.length; i++) entries[i]!.member.verifyOverlap();
    for (let i = 0; i < entries.length; i++) entries[i]!.member.verify();
    const failure = sequence[what]();
    if (failure !== undefined) throw entries[failure.core]!.member.explain(failure);
  }

  /** Several backends, or code of users: everything that can fail, then one after the other. */
  #runSegments(): void {
    const segments = this.#segments;
    const done: Segment[] = [];
    let prepared = 0;
    try {
      for (; prepared < segments.length; prepared++) {
        this.#ask(segments[prepared]!, 'prepare');
        if (segments[prepared]!.afterOwn) this.#leaveToUser(segments[prepared]!);
      }
      this.verify();
      for (let i = 0; i < segments.length; i++) {
        if (this.#runOne(segments[i]!)) done[done.length] = segments[i]!;
      }
    } finally {
      for (let i = 0; i < prepared; i++) segments[i]!.sequence.cancel();
      zeroGrads(done);
    }
  }

  /** What was proved does not hold after code of a user; an update of its own proves it again. */
  #leaveToUser({ isOwn, sequence }: Segment): void {
    if (!isOwn) sequence.cancel();
  }

  #runOne(segment: Segment): boolean {
    const { leaders, entries, isOwn, afterOwn, sequence } = segment;
    let isDue = leaders.length === 0;
    for (let i = 0; i < leaders.length; i++) if (leaders[i]!.settings.stepped) isDue = true;
    if (!isDue) return false;
    if (afterOwn && !isOwn) {
      for (let i = 0; i < entries.length; i++) entries[i]!.member.verify();
      this.#ask(segment, 'step');
    } else {
      sequence.run();
    }
    this.#count(segment);
    return true;
  }

  #count({ entries }: Segment): void {
    for (let i = 0; i < entries.length; i++) {
      const { stepper } = entries[i]!;
      if (stepper !== undefined) stepper.steps += 1;
    }
  }
}

/** Of what has been stepped in parts: gradients are zeros when all have read them. */
function zeroGrads(segments: readonly Segment[]): void {
  for (let s = 0; s < segments.length; s++) {
    const { entries } = segments[s]!;
    for (let i = 0; i < entries.length; i++) {
      const { stepper } = entries[i]!;
      if (stepper?.settings.stepped && stepper.settings.zeroes) stepper.slots.zeroGrads();
    }
  }
}
