/**
 * The pass over all gradients before a step that clips by a norm or looks for infinities; line for
 * line `native/core/gradient_check.cc`.
 */

import { type Doubles, type Floats, viewOf } from '../../support/typed-arrays.ts';
import { OPTION } from '../step-options.ts';
import type { Arithmetic } from './arithmetic.ts';
import { clipCoefficient, type Norm, normOf } from './norm.ts';
import { type Reduction, reductions } from './reduce.ts';

/** A gradient that will be stepped with, and of which group it is. */
export interface GradientOf {
  readonly grad: Floats;
  readonly length: number;
  readonly group: number;
  /** Where the pieces that count begin and end, each a gradient of its own. */
  readonly pieces?: Doubles;
}

export interface GradientCheck {
  /** The norm over all; NaN if nobody asked. */
  readonly totalNorm: number;
  /** How many are infinite or NaN; NaN if nobody asked. */
  readonly nonFinite: number;
  /** Whether somebody asked and there are such, or their norm is; and the first's place in the list. */
  readonly failed: boolean;
  readonly firstNonFinite: number;
  /** What clipping multiplies each of the list by; undefined: nothing is clipped. */
  readonly coefficients: readonly number[] | undefined;
}

/** Whether a norm of this order is infinite or NaN just where a gradient is. */
function showsNonFinite(order: number): boolean {
  return order === 1 || order === 2 || order === Number.POSITIVE_INFINITY;
}

/** Undefined where the options ask for no such pass. */
export function checkGradients(
  list: readonly GradientOf[],
  options: Doubles,
  arithmetic: Arithmetic,
): GradientCheck | undefined {
  const clips = options[OPTION.maxGradNorm]! >= 0;
  const counts = options[OPTION.onNonFinite]! > 0;
  if (!clips && !counts) return undefined;
  const scale = Math.fround(options[OPTION.gradScale]!);
  const bound = Math.fround(options[OPTION.clipValue]!);
  const pieces = list.map(piecesOf);
  const reduce = (reduction: Reduction) =>
    pieces.map((mine) => mine.map((piece) => arithmetic.reduce(reduction, piece, scale, bound)));
  const order = options[OPTION.normType]!;
  const clipped = clips ? clip(list, options, normOf(order), reduce) : undefined;
  const totalNorm = clipped?.totalNorm ?? Number.NaN;
  const coefficients = clipped?.coefficients;
  if (Number.isFinite(totalNorm) && showsNonFinite(order)) {
    return { totalNorm, coefficients, nonFinite: 0, failed: false, firstNonFinite: 0 };
  }
  const found = counts ? reduce(reductions.nonFinite) : [];
  const nonFinite = counts ? found.flat().reduce((sum, count) => sum + count, 0) : Number.NaN;
  return {
    totalNorm,
    coefficients,
    nonFinite,
    failed: counts && (nonFinite > 0 || (clips && !Number.isFinite(totalNorm))),
    // A norm of finite gradients is that of the first.
    firstNonFinite:
      nonFinite > 0
        ? found.findIndex((counted) => counted.some((count) => count > 0))
        : list.findIndex(({ length }) => length > 0),
  };
}

/** What of a gradient counts. */
function piecesOf({ grad, length, pieces }: GradientOf): Floats[] {
  if (pieces === undefined) return length > 0 ? [grad] : [];
  const parts: Floats[] = [];
  for (let i = 0; i < pieces.length; i += 2) {
    if (pieces[i + 1]! > pieces[i]!)
      parts.push(viewOf(grad, pieces[i]!, pieces[i + 1]! - pieces[i]!));
  }
  return parts;
}

function clip(
  list: readonly GradientOf[],
  options: Doubles,
  norm: Norm,
  reduce: (reduction: Reduction) => number[][],
): { totalNorm: number; coefficients: number[] } {
  const parts = reduce(norm.reduction);
  const coefficients: number[] = new Array(list.length).fill(1);
  const clipRange = (begin: number, end: number): number => {
    const total = norm.total(parts.slice(begin, end).flat());
    coefficients.fill(clipCoefficient(total, options[OPTION.maxGradNorm]!), begin, end);
    return total;
  };
  const totalNorm = clipRange(0, list.length);
  const scope = options[OPTION.clipScope]!;
  for (let begin = 0, end = 0; scope > 0 && begin < list.length; begin = end) {
    end = begin + 1;
    while (scope === 1 && list[end]?.group === list[begin]!.group) end++;
    clipRange(begin, end);
  }
  return { totalNorm, coefficients };
}
