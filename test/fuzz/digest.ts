/** What can be seen of a world, as one string. */

import type {
  AnyOptimizer,
  AveragedModel,
  EMA,
  GradstepError,
  ParameterLike,
  SWA,
} from '../../lib/index.ts';

type Floats = Float32Array<ArrayBufferLike>;

export function digestOf(
  params: readonly ParameterLike[],
  optimizers: readonly AnyOptimizer[],
  averages: readonly (EMA | SWA | AveragedModel)[],
): string {
  return JSON.stringify([
    params.map(({ data, grad }) => [bitsOf(data), grad && bitsOf(grad)]),
    optimizers.map((optimizer) =>
      unlessDisposed(() => [
        String(optimizer),
        params.map((p) => stateOf(optimizer, p)),
        'lastStep' in optimizer ? optimizer.lastStep : null,
      ]),
    ),
    averages.map((average) =>
      unlessDisposed(() => [
        String(average),
        average.params.map((p) => bitsOf(average.averages.get(p)!)),
      ]),
    ),
  ]);
}

function unlessDisposed(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if ((error as GradstepError).code === 'ERR_DISPOSED') return 'disposed';
    throw error;
  }
}

/** A hash of the bits. (Optimized code may still give a detached array its old length.) */
function bitsOf(array: Floats): string {
  if (isDetached(array)) return 'detached';
  const words = new Uint32Array(array.length);
  const copy = new Float32Array(words.buffer);
  for (let i = 0; i < array.length; i++) copy[i] = array[i]!;
  let hash = words.length;
  for (let i = 0; i < words.length; i++) {
    const word = Number.isNaN(copy[i]!) ? 0x7fc00000 : words[i]!; // a NaN is a NaN
    hash = (Math.imul(hash, 31) + word) | 0;
  }
  return `${words.length}:${hash}`;
}

function isDetached({ buffer }: Floats): boolean {
  try {
    new Float32Array(buffer, 0, 0);
    return false;
  } catch {
    return true;
  }
}

function stateOf(optimizer: AnyOptimizer, p: ParameterLike): unknown {
  const state = optimizer.state.get(p) as Record<string, unknown> | undefined;
  if (state === undefined) return null;
  return Object.entries({ ...state }).map(([key, value]) => [
    key,
    value instanceof Float32Array ? bitsOf(value) : value,
  ]);
}
