/** What PyTorch did to gradients: the files that `reference/gradients.py` wrote. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Parameter } from '../../lib/index.ts';
import { bitsOf } from '../optimizers/golden.ts';
import { fill, type Kind } from '../reference/inputs.ts';

/** A number, or an infinity by its name in Python. */
type Plain = number | 'inf' | '-inf';

interface Gradients {
  readonly seed: number;
  readonly kind: Kind;
}

/** One `clip_grad_norm_`. */
export interface ClipCase extends Gradients {
  readonly normType: Plain;
  readonly maxNorm: Plain;
  /** The bits of the norm, hexadecimal. */
  readonly total: string;
  /** The digest of all gradients afterwards. */
  readonly clipped: string;
}

/** One `clip_grad_value_`. */
export interface ClampCase extends Gradients {
  readonly clipValue: Plain;
  readonly clamped: string;
}

/** One run of a GradScaler. */
export interface Program {
  readonly name: string;
  readonly seed: number;
  readonly options: object;
  /** Class, options, and which parameters it has. */
  readonly optimizers: readonly (readonly [string, object, readonly number[]])[];
  readonly steps: readonly {
    /** The parameters whose gradient holds an infinity or NaN. */
    readonly bad: readonly number[];
    readonly unscale?: boolean;
    readonly newScale?: number;
  }[];
  /** After each step: scale, growth tracker, digests of all data and of all gradients. */
  readonly trace: readonly (readonly [number, number, string, string])[];
}

function read<T>(name: string): T {
  const file = new URL(`../reference/gradients/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

export const clipping: {
  lengths: readonly number[];
  error: string;
  clip: readonly ClipCase[];
  clamp: readonly ClampCase[];
} = read('clipping');

export const scaling: { lengths: readonly number[]; programs: readonly Program[] } =
  read('grad-scaler');

export function toNumber(plain: Plain): number {
  if (typeof plain === 'number') return plain;
  return plain === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

export function toFloat32(bits: string): number {
  return new Float32Array(Uint32Array.of(Number.parseInt(bits, 16)).buffer)[0]!;
}

/** The parameters of a case, whose gradients it is about. */
export function parametersOf({ seed, kind }: Gradients): Parameter[] {
  return clipping.lengths.map((length, i) => {
    const parameter = Parameter.zeros([length], { name: `p${i}` });
    fill(parameter.ensureGrad(), kind, seed, 1, i);
    return parameter;
  });
}

/** As `digest` in `reference/gradients.py`. */
export function digest(arrays: readonly Float32Array<ArrayBufferLike>[]): string {
  const bits = bitsOf(...(arrays as Float32Array[]));
  return createHash('sha256').update(bits).digest('hex').slice(0, 16);
}

export function gradsOf(parameters: readonly Parameter[]): Float32Array<ArrayBufferLike>[] {
  return parameters.map(({ grad }) => grad!);
}

/** Parameters with these gradients; null for none. */
export function withGrads(...grads: readonly (readonly number[] | null)[]): Parameter[] {
  return grads.map((grad, i) => {
    const p = Parameter.zeros([grad?.length ?? 2], { name: `p${i}` });
    if (grad !== null) p.ensureGrad().set(grad);
    return p;
  });
}
