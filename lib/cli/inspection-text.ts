/** What was found in a file, as JSON and as aligned text. */

import { inspect } from 'node:util';
import type {
  InspectedCheckpoint,
  InspectedGroup,
  InspectedTensor,
  Inspection,
} from '../checkpoint/inspection.ts';
import { plain } from './main.ts';
import { short } from './scale.ts';

/** As JSON, two spaces a level. */
export function inspectionJson(found: Inspection): string {
  const text = JSON.stringify(found, (_, value) => (isOdd(value) ? String(value) : value), 2);
  return `${text}\n`;
}

/** What JSON cannot say. */
function isOdd(value: unknown): boolean {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value));
}

/** Aligned text, broken at so many columns where it can be. */
export function inspectionText(found: Inspection, columns: number): string {
  const { path, size, checkpoint, metadata, tensors } = found;
  const what = checkpoint === undefined ? 'safetensors file' : 'checkpoint of gradstep';
  const blocks = [[path, `${what}, ${bytes(size)}, ${counted(tensors.length, 'tensor')}`]];
  if (checkpoint !== undefined) {
    blocks.push(facts(checkpoint, columns), ...optimizers(checkpoint, columns));
  }
  const entries = Object.entries(metadata);
  if (entries.length > 0) {
    blocks.push(entries.map(([key, text]) => `${plain(key)}  ${plain(clipped(text))}`));
  }
  if (tensors.length > 0) blocks.push(tensorTable(tensors));
  return `${blocks.map((lines) => `${lines.join('\n')}\n`).join('\n')}`;
}

function facts({ step, checksum, extra }: InspectedCheckpoint, columns: number): string[] {
  const verdict = checksum === 'right' ? 'right' : 'WRONG: the file is damaged';
  const lines = [`step      ${plain(String(step))}`, `checksum  ${verdict}`];
  if (extra === undefined) return lines;
  const shown = inspect(extra, {
    breakLength: Math.max(40, columns - 12),
    maxArrayLength: 8,
    maxStringLength: 400,
    depth: 4,
  });
  const [first = '', ...rest] = shown.split('\n').map(plain);
  return [...lines, `extra     ${first}`, ...rest.map((line) => `          ${line}`)];
}

function optimizers(checkpoint: InspectedCheckpoint, columns: number): string[][] {
  return checkpoint.optimizers.map(({ path, type, groups }) => [
    plain(type === undefined ? path : `${path}  ${type}`),
    ...groups.flatMap((group, index) => groupLines(group, index, columns)),
  ]);
}

function groupLines(group: InspectedGroup, index: number, columns: number): string[] {
  const { name, parameters, hyperparameters } = group;
  const title = `  group ${index}${name === undefined ? '' : ` '${plain(name)}'`}`;
  const values = Object.entries(hyperparameters).map(([key, value]) => {
    return plain(`${key} ${inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 2 })}`);
  });
  return [
    `${title}, ${counted(parameters, 'parameter')}`,
    ...wrapped(values, columns - 4).map((line) => `    ${line}`),
  ];
}

/** Words after commas, so many to a line as fit. */
function wrapped(words: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line}, ${word}`;
    if (line !== '' && longer.length >= columns) {
      lines.push(`${line},`);
      line = word;
    } else line = longer;
  }
  return line === '' ? lines : [...lines, line];
}

/** Numbers stand right, words left. */
function tensorTable(tensors: readonly InspectedTensor[]): string[] {
  const rows = tensors.map(({ name, dtype, shape, length, bytes: size, norm }) => [
    plain(name),
    dtype,
    `[${shape.join(', ')}]`,
    grouped(length),
    bytes(size),
    norm === undefined ? '-' : short(norm),
  ]);
  const total = [
    counted(tensors.length, 'tensor'),
    '',
    '',
    grouped(tensors.reduce((sum, { length }) => sum + length, 0)),
    bytes(tensors.reduce((sum, { bytes: size }) => sum + size, 0)),
    '',
  ];
  const all = [['tensor', 'dtype', 'shape', 'elements', 'size', 'L2 norm'], ...rows, total];
  const widths = all[0]!.map((_, k) => Math.max(...all.map((row) => row[k]!.length)));
  const lines = all.map((row) =>
    row
      .map((cell, k) => (k < 3 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [lines[0]!, rule, ...lines.slice(1, -1), rule, lines.at(-1)!];
}

function counted(count: number, thing: string): string {
  return `${grouped(count)} ${thing}${count === 1 ? '' : 's'}`;
}

const grouped = (count: number) => count.toLocaleString('en-US');

function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${units[power]}`;
}

const clipped = (text: string) => (text.length > 400 ? `${text.slice(0, 400)}…` : text);
