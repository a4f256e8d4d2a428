/** What is in a safetensors file, and if it is a checkpoint, what that says: found in one pass. */

import { type FileHandle, open } from 'node:fs/promises';
import { explainFile } from '../safetensors/atomic-write.ts';
import { type Dtype, viewAs } from '../safetensors/dtypes.ts';
import { widen } from '../safetensors/half.ts';
import type { TensorInfo } from '../safetensors/header.ts';
import { checkPath } from '../safetensors/node.ts';
import { named } from '../safetensors/read-file.ts';
import { CHUNK } from '../safetensors/write-file.ts';
import { contentOf, parseContent } from './checkpoint-file.ts';
import { CHECKSUM, CONTENT, type Head, readData, readHead } from './scan.ts';

/** A tensor of a file. */
export interface InspectedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Elements. */
  readonly length: number;
  readonly bytes: number;
  /** The square root of the sum of squares, in double; of F64, F32, F16 and BF16. */
  readonly norm?: number;
}

/** The groups of one optimizer. */
export interface InspectedOptimizer {
  /** Where it is in the checkpoint: `optimizer`, `optimizer.generator`. */
  readonly path: string;
  /** Its class. */
  readonly type?: string;
  readonly groups: readonly InspectedGroup[];
}

export interface InspectedGroup {
  readonly name?: string;
  /** How many parameters it has. */
  readonly parameters: number;
  readonly hyperparameters: Readonly<Record<string, unknown>>;
}

/** What a checkpoint says beside its tensors. */
export interface InspectedCheckpoint {
  readonly step: unknown;
  readonly checksum: 'right' | 'wrong';
  /** As it was saved; arrays in it are told by their names. */
  readonly extra?: unknown;
  readonly optimizers: readonly InspectedOptimizer[];
}

export interface Inspection {
  readonly path: string;
  /** Of the file, in bytes. */
  readonly size: number;
  /** Undefined for a safetensors file that is none. */
  readonly checkpoint?: InspectedCheckpoint;
  /** Strings of the file, but for those of a checkpoint. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the header. */
  readonly tensors: readonly InspectedTensor[];
}

/**
 * Looks into a file, in the memory of one chunk, whatever the size of its tensors.
 *
 * @throws {GradstepError} By rejecting: `ERR_SAFETENSORS` for what is no such file, `ERR_FILE`,
 * `ERR_CHECKPOINT` and `ERR_CHECKPOINT_VERSION` for contents that cannot be read.
 */
export async function inspectFile(path: string): Promise<Inspection> {
  checkPath(path);
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { size } = await file.stat();
    const head = await readHead(file, size, path);
    const { sums, isRight } = await sumUp(file, head, path);
    const { [CHECKSUM]: _, [CONTENT]: __, ...metadata } = head.header.metadata;
    const json = contentOf(head);
    return {
      path,
      size,
      ...(json !== undefined && { checkpoint: await describeContent(json, isRight, path) }),
      metadata: json === undefined ? head.header.metadata : metadata,
      tensors: Array.from(head.header.tensors, ([name, info]) => toInspected(name, info, sums)),
    };
  } catch (error) {
    throw named(explainFile(error, path, 'read'), path);
  } finally {
    await file?.close().catch(() => {});
  }
}

const isFloat = (dtype: Dtype) => ['F64', 'F32', 'F16', 'BF16'].includes(dtype);

function toInspected(
  name: string,
  { dtype, shape, length, begin, end }: TensorInfo,
  sums: ReadonlyMap<string, number>,
): InspectedTensor {
  const norm = isFloat(dtype) ? { norm: Math.sqrt(sums.get(name) ?? 0) } : {};
  return { name, dtype, shape, length, bytes: end - begin, ...norm };
}

/** The sum of squares of each tensor, and whether the checksum is right. */
async function sumUp(file: FileHandle, head: Head, path: string) {
  const scratch = new Uint8Array(CHUNK);
  const halves = new Float32Array(CHUNK / 2);
  const sums = new Map<string, number>();
  const isRight = await readData(file, head, path, {
    room: ({ length }) => scratch.subarray(0, length),
    seen({ name, info: { dtype } }, { length }) {
      if (!isFloat(dtype)) return;
      const size = dtype === 'F64' ? 8 : dtype === 'F32' ? 4 : 2;
      let values = viewAs(dtype, scratch.buffer, 0, length / size) as Float32Array | Float64Array;
      if (dtype === 'F16' || dtype === 'BF16') {
        const bits = values as unknown as Uint16Array;
        values = halves.subarray(0, bits.length);
        widen(bits, dtype, values as Float32Array, 0);
      }
      sums.set(name, (sums.get(name) ?? 0) + sumOfSquares(values));
    },
  });
  return { sums, isRight };
}

function sumOfSquares(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

async function describeContent(
  json: string,
  isRight: boolean,
  path: string,
): Promise<InspectedCheckpoint> {
  const content = await parseContent(
    json,
    (name) => ({ data: `tensor ${name}` as never, shape: [] }),
    path,
  );
  return {
    step: content.step,
    checksum: isRight ? 'right' : 'wrong',
    ...(content.extra !== undefined && { extra: content.extra }),
    optimizers: [...findOptimizers(content.optimizer, 'optimizer')],
  };
}

/** Wherever there are groups: one optimizer, several by name, or those that are combined. */
function* findOptimizers(value: unknown, path: string): Generator<InspectedOptimizer> {
  if (typeof value !== 'object' || value === null) return;
  const { type, paramGroups } = value as Record<string, unknown>;
  if (!Array.isArray(paramGroups)) {
    for (const [key, one] of Object.entries(value)) yield* findOptimizers(one, `${path}.${key}`);
    return;
  }
  const groups = paramGroups.filter((group) => typeof group === 'object' && group !== null);
  yield { path, ...(typeof type === 'string' && { type }), groups: groups.map(toGroup) };
}

function toGroup(group: Readonly<Record<string, unknown>>): InspectedGroup {
  const { params, paramNames, name, initialValues, ...hyperparameters } = group;
  return {
    ...(typeof name === 'string' && { name }),
    parameters: Array.isArray(params) ? params.length : 0,
    hyperparameters,
  };
}
