/** The few lines of Python that exchange files, in TypeScript: no checks, for these tests alone. */

import type { Tensor, TensorFile } from '../../lib/index.ts';

const KINDS = { F32: Float32Array, F64: Float64Array } as const;

interface Entry {
  readonly dtype: keyof typeof KINDS;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

export function encode({ tensors, metadata }: TensorFile): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { data, shape }] of Object.entries(tensors)) {
    const begin = end;
    end += data.byteLength;
    parts.push(new Uint8Array(data.slice().buffer));
    const dtype = data instanceof Float32Array ? 'F32' : 'F64';
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}

export function decode(file: Buffer): TensorFile {
  const length = Number(file.readBigUInt64LE());
  const { __metadata__: metadata, ...entries } = JSON.parse(
    file.subarray(8, 8 + length).toString(),
  ) as { __metadata__: Record<string, string> } & Record<string, Entry>;
  const tensors = Object.entries(entries as Record<string, Entry>).map(([name, entry]) => {
    const [begin, end] = entry.data_offsets;
    const bytes = new Uint8Array(file.subarray(8 + length + begin, 8 + length + end));
    return [name, { data: new KINDS[entry.dtype](bytes.buffer), shape: entry.shape }] as const;
  });
  return { tensors: Object.fromEntries<Tensor>(tensors), metadata };
}
