/** Arrays of named parameters that are loaded into others: of a model, or of an average. */

import { refuseBusyState } from '../backend/busy-memory.ts';
import { bufferOf, copyFloats, type Floats } from '../support/typed-arrays.ts';
import type { OwnLoad } from './has-state-dict.ts';
import { haveNames, misfit, refuseOthers } from './match.ts';
import { proveThere, refuseDict, setAside } from './plain.ts';
import type { LoadReport } from './stateful.ts';

/** An array with what its parameter is known by. */
export interface NamedArray {
  readonly name: string | undefined;
  /** What errors call it. */
  readonly label: string;
  readonly size: number;
  readonly shape: readonly number[] | undefined;
  readonly array: Floats;
}

/**
 * By name, when all on both sides have different ones, else by their order.
 *
 * @param verify Asked when no code of a user runs any more.
 * @throws {GradstepError} `ERR_STATE_DICT`, when `strict` and not all fit.
 */
export function prepareArrays(
  live: readonly NamedArray[],
  saved: readonly NamedArray[],
  strict: boolean,
  verify: (targets: readonly Floats[]) => void = () => {},
): OwnLoad {
  const named = haveNames(live) && haveNames(saved);
  const byName = new Map(saved.map((one) => [one.name, one]));
  const others = live.map(({ name }, i) => (named ? byName.get(name) : saved[i]));
  const found = new Set(others);
  const missing = live.filter((_, i) => others[i] === undefined).map(({ label }) => label);
  const unexpected = saved.filter((one) => !found.has(one)).map(({ label }) => label);
  if (strict) refuseOthers(missing, unexpected);
  const [targets, sources]: [Floats[], Floats[]] = [[], []];
  const mismatched: string[] = [];
  for (const [i, one] of live.entries()) {
    const other = others[i];
    if (other === undefined) continue;
    const wrong = misfit(one, other);
    if (wrong === undefined) {
      targets.push(one.array);
      sources.push(other.array);
    } else if (strict) refuseDict(wrong);
    else mismatched.push(wrong);
  }
  return copying(targets, sources, { missing, unexpected, mismatched }, verify);
}

function copying(
  targets: readonly Floats[],
  sources: Floats[],
  report: LoadReport,
  verify: (targets: readonly Floats[]) => void,
): OwnLoad {
  return {
    reserve() {
      verify(targets);
      refuseBusyState(() => targets);
      proveThere(targets, 'what is loaded');
      proveThere(sources, 'the state dict');
      setAside(sources, new Set(targets.map(bufferOf)));
    },
    commit() {
      for (const [i, target] of targets.entries()) copyFloats(target, sources[i]!);
      return report;
    },
  };
}
