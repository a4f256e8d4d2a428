/** What the wasm backend computes with: the code in force, and a space for all that has none. */

import { type Code, compile, ISAS, isExact, type Kernels } from './modules.ts';
import { Space } from './space.ts';

/** Undefined: not tried yet, or it cannot run here. */
let codes: readonly Code[] | undefined;
let chosen: Code | undefined;
/** The chosen code for memory of the other kind. */
let other: Code | undefined;
let common: Space | undefined;

/**
 * Everything that can fail, once.
 * @throws {Error} Where this engine cannot run any module.
 */
export function start(): void {
  if (chosen !== undefined) return;
  const space = Space.fixed();
  chosen = firstThatRuns(space.isShared);
  common = space;
}

function firstThatRuns(shared: boolean): Code {
  let failure: unknown;
  for (const isa of ISAS) {
    try {
      const code = compile(isa, shared);
      if (isExact(code)) return code;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The instruction sets that run here, best first. */
export function isas(): readonly string[] {
  codes ??= ISAS.flatMap((isa) => {
    if (isa === chosen!.isa) return [chosen!];
    try {
      const code = compile(isa, chosen!.shared);
      return isExact(code) ? [code] : [];
    } catch {
      return [];
    }
  });
  return codes.map(({ isa }) => isa);
}

export function isa(): string {
  return chosen!.isa;
}

/** False if it does not run here. */
export function setIsa(name: string): boolean {
  if (!isas().includes(name)) return false;
  chosen = codes!.find((code) => code.isa === name)!;
  other = undefined;
  return true;
}

/** The space of all that has none of its own. */
export function commonSpace(): Space {
  return common!;
}

/** The kernels in force, bound to this space. */
export function kernelsOf(space: Space): Kernels {
  if (space.isShared === chosen!.shared) return space.kernels(chosen!);
  other ??= compile(chosen!.isa, space.isShared);
  return space.kernels(other);
}
