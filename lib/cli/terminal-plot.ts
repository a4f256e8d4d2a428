/** Curves in a terminal, drawn with braille dots: 2 by 4 of them in each character. */

import { extentOf, short } from './scale.ts';
import type { Series } from './series.ts';

/** The bit of each dot of U+2800, by row and column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** ANSI colours of the curves, in order. */
const COLOURS = [36, 33, 35, 32, 31, 34] as const;

/** How large, in characters, and whether in colour. */
export interface PlotOptions {
  readonly width: number;
  readonly height: number;
  readonly colour: boolean;
}

interface Cell {
  bits: number;
  curve: number;
}

/** The plot as lines of text: the y axis on the left, the x axis below. */
export function terminalPlot(series: readonly Series[], options: PlotOptions): string {
  const [low, high] = extentOf(series.map(({ values }) => values));
  const rows = options.height;
  const labels = new Map([
    [0, short(high)],
    [
      Math.floor((rows - 1) / 2),
      short(high - ((high - low) * Math.floor((rows - 1) / 2)) / (rows - 1)),
    ],
    [rows - 1, short(low)],
  ]);
  const margin = Math.max(...[...labels.values()].map((label) => label.length));
  const columns = Math.max(8, options.width - margin - 2);
  const cells = draw(series, [low, high], columns, rows);
  const lines = cells.map((line, row) => {
    const label = (labels.get(row) ?? '').padStart(margin);
    const tick = labels.has(row) ? '┤' : '│';
    return `${label} ${tick}${line.map((cell) => paint(cell, options.colour)).join('')}`.trimEnd();
  });
  const last = Math.max(...series.map(({ values }) => values.length - 1));
  const axis = `${' '.repeat(margin)} └${'─'.repeat(columns)}`;
  const end = String(last);
  const steps = `${' '.repeat(margin + 2)}0${'step'.padStart(columns / 2)}`;
  return [...lines, axis, steps.padEnd(margin + 2 + columns - end.length) + end].join('\n');
}

function draw(
  series: readonly Series[],
  [low, high]: readonly [number, number],
  columns: number,
  rows: number,
): Cell[][] {
  const cells = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, (): Cell => ({ bits: 0, curve: 0 })),
  );
  const last = Math.max(1, ...series.map(({ values }) => values.length - 1));
  const place = (value: number) => Math.round(((high - value) / (high - low)) * (rows * 4 - 1));
  series.forEach(({ values }, curve) => {
    const stepAt = (x: number) => Math.round((x / (columns * 2 - 1)) * last);
    let before: number | undefined;
    for (let x = 0; x < columns * 2; x++) {
      // All steps of this column, so that no peak between two columns is missed.
      const end = Math.min(Math.max(stepAt(x), stepAt(x + 1) - 1), values.length - 1);
      for (let step = stepAt(x); step <= end; step++) {
        const y = place(values[step]!);
        // A jump is drawn as the line that joins both ends.
        for (const dot of between(before ?? y, y)) {
          const cell = cells[dot >> 2]![x >> 1]!;
          cell.bits |= DOTS[dot & 3]![x & 1]!;
          cell.curve = curve;
        }
        before = y;
      }
    }
  });
  return cells;
}

/** All whole numbers from one end, which is left out unless it is the other, to the other. */
function between(from: number, to: number): number[] {
  const step = Math.sign(to - from);
  if (step === 0) return [to];
  return Array.from({ length: Math.abs(to - from) }, (_, i) => from + step * (i + 1));
}

function paint({ bits, curve }: Cell, colour: boolean): string {
  if (bits === 0) return ' ';
  return tint(String.fromCodePoint(0x2800 + bits), curve, colour);
}

/** Text in the colour of a curve. */
export function tint(text: string, curve: number, colour: boolean): string {
  return colour ? `\u001b[${COLOURS[curve % COLOURS.length]}m${text}\u001b[0m` : text;
}
