/** From rounds to figures: ratios of what was measured in the same round, best spell. */

import type { Rounds } from './measure.ts';
import { find, type Series, type Setting, SUBJECTS } from './results.ts';

/** A ratio of two subjects, in the spell where it is best. */
export interface Comparison {
  /** The lower of the two below: one or the other is out where something else disturbed. */
  readonly ratio: number;
  /** The median of the ratios round by round. */
  readonly median: number;
  /** The ratio of the best rounds. */
  readonly best: number;
}

/** The subject that stands for the slower of stream and divider. */
export const LIMIT = 'limit';

const LIMITS: readonly string[] = [LIMIT, SUBJECTS.stream, SUBJECTS.divider];

/**
 * Nothing is faster than a limit or than one flat parameter. A spell in which something seems so
 * by more than this is one in which these were disturbed; it says nothing and does not count.
 */
const BOUNDS: readonly string[] = [...LIMITS, SUBJECTS.flat];
const PLAUSIBLE = 1.2;

type All = readonly Series[];

/** Nanoseconds per step by spell and round: of a subject, or of the limit. */
function spellsOf(all: All, setting: Setting, subject: string): Rounds[] | undefined {
  return subject === LIMIT ? limitOf(all, setting) : find(all, setting, subject)?.spells;
}

/** The same less the cost of an empty `step()`, where that was measured. */
function netSpellsOf(all: All, setting: Setting, subject: string): Rounds[] | undefined {
  const empty = find(all, setting, SUBJECTS.empty);
  return spellsOf(all, setting, subject)?.map((rounds, spell) => {
    const cost = least(empty?.spells[spell] ?? []) ?? 0;
    return rounds.map((time) => time && time - cost);
  });
}

function limitOf(all: All, setting: Setting): Rounds[] | undefined {
  const stream = find(all, setting, SUBJECTS.stream);
  const divider = find(all, setting, SUBJECTS.divider);
  if (stream === undefined || divider === undefined) return stream?.spells;
  // Judged by the best rounds: a round's own larger one would be the one that was disturbed.
  return stream.spells.map((rounds, spell) => {
    const other = divider.spells[spell] ?? [];
    return (least(other) ?? 0) > (least(rounds) ?? 0) ? other : rounds;
  });
}

/**
 * How many times as fast `subject` is as `than`. Where that is a limit, which nobody calls, and an
 * empty `step()` was measured beside it, the cost of the call is taken off.
 */
export function speed(
  all: All,
  setting: Setting,
  subject: string,
  than: string,
): Comparison | undefined {
  const own = (LIMITS.includes(than) ? netSpellsOf : spellsOf)(all, setting, subject);
  const other = spellsOf(all, setting, than);
  if (own === undefined || other === undefined) return undefined;
  if (!BOUNDS.includes(than)) return compareBest(own, other);
  return own
    .flatMap((rounds, spell) => compare(rounds, other[spell] ?? []) ?? [])
    .filter(({ ratio }) => ratio <= PLAUSIBLE)
    .sort((a, b) => b.ratio - a.ratio)[0];
}

/**
 * Of two competitors, each in the best round of all spells: the spell with the best ratio would be
 * the one in which the other was disturbed.
 */
function compareBest(own: readonly Rounds[], other: readonly Rounds[]): Comparison | undefined {
  const [a, b] = [least(own.map(least)), least(other.map(least))];
  if (a === undefined || b === undefined) return undefined;
  return { ratio: b / a, median: b / a, best: b / a };
}

function compare(own: Rounds, other: Rounds): Comparison | undefined {
  const [a, b] = [least(own), least(other)];
  if (a === undefined || b === undefined) return undefined;
  const best = b / a;
  const middle = median(paired(other, own)) ?? best;
  return { ratio: Math.min(best, middle), median: middle, best };
}

/** Nanoseconds of a step beyond the limit of its arithmetic, in the best spell. */
export function excess(all: All, setting: Setting, subject: string): number | undefined {
  const own = spellsOf(all, setting, subject);
  const limit = spellsOf(all, setting, LIMIT);
  const spells = own?.map((rounds, spell) => {
    const bounds = limit?.[spell] ?? [];
    const differences = rounds.flatMap((time, round) => {
      const bound = bounds[round];
      return time === null || bound === null || bound === undefined ? [] : [time - bound];
    });
    const cost = median(differences);
    const low = (least(bounds) ?? 0) * (1 / PLAUSIBLE - 1);
    return cost !== undefined && cost < low ? undefined : cost;
  });
  return least(spells ?? []);
}

/** Nanoseconds of a step in the best round. */
export function fastest(all: All, setting: Setting, subject: string): number | undefined {
  return least((spellsOf(all, setting, subject) ?? []).map(least));
}

/** The median step of the best spell, in nanoseconds. */
export function typical(all: All, setting: Setting, subject: string): number | undefined {
  const spells = spellsOf(all, setting, subject) ?? [];
  return least(spells.map((rounds) => median(rounds.filter((time) => time !== null))));
}

function paired(above: Rounds, below: Rounds): number[] {
  return above.flatMap((time, round) => {
    const other = below[round];
    return time === null || other === null || other === undefined ? [] : [time / other];
  });
}

function least(values: readonly (number | null | undefined)[]): number | undefined {
  let low: number | undefined;
  for (const value of values) {
    if (typeof value === 'number' && !(value >= low!)) low = value;
  }
  return low;
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  return sorted.length === 0 ? undefined : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
