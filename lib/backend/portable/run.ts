/** The slots of a core in TypeScript, and those of a step that share their scalars. */

import type { Doubles, Floats } from '../../support/typed-arrays.ts';
import type { Range } from './memory-map.ts';

/** One parameter as the core sees it. */
export interface Slot {
  readonly group: number;
  data: Floats;
  grad: Floats | null;
  /** What was claimed for `data`. */
  range: Range;
  readonly state: Floats[];
  readonly length: number;
  /** The last two dimensions; 0: it has fewer. Told only to rules that see shapes. */
  rows: number;
  columns: number;
  /** Where the pieces of its gradient that count begin and end; undefined: all of it counts. */
  pieces?: Doubles;
  struct: Doubles;
  /** What the rule remembers of it; a view, as every step writes it. */
  record: Doubles;
}

/** Neighbouring slots that share their scalars. */
export interface Run {
  readonly slots: Slot[];
  readonly struct: Doubles;
  /** The record of each before this step, and after it. */
  readonly record: Doubles;
  readonly next: Doubles;
  readonly scalars: unknown;
}
