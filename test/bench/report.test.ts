/** Tables and picture of known measurements. */

import { describe, expect, it } from 'vitest';
import { digits, duration, percent } from '../../bench/report/numbers.ts';
import { drawPicture } from '../../bench/report/picture.ts';
import { markdownReport, textReport } from '../../bench/report/report.ts';
import { toMarkdown, toText } from '../../bench/report/table.ts';
import { measured } from './measured.ts';

describe('numbers', () => {
  it('have three digits that count', () => {
    expect([0.2834, 1.234, 12.34, 123.4, 1234].map((value) => digits(value))).toEqual([
      '0.283',
      '1.23',
      '12.3',
      '123',
      '1234',
    ]);
    expect([digits(undefined), digits(2, ' ×'), percent(0.954), percent(undefined)]).toEqual([
      '–',
      '2.00 ×',
      '95 %',
      '–',
    ]);
    expect([12, 1234, 5.6e6, -1700, undefined].map(duration)).toEqual([
      '12 ns',
      '1.23 µs',
      '5.60 ms',
      '-1.70 µs',
      '–',
    ]);
  });
});

describe('a table', () => {
  const table = {
    title: 'T',
    head: ['name', 'ns'],
    rows: [
      ['a', '1.5'],
      ['b|c', '12'],
    ],
  };

  it('is aligned in a terminal', () => {
    expect(toText(table)).toBe('T\nname   ns\na     1.5\nb|c    12');
  });

  it('is Markdown in the docs', () => {
    expect(toMarkdown({ ...table, note: 'N' })).toBe(
      '## T\n\nN\n\n| name | ns |\n| --- | ---: |\n| a | 1.5 |\n| b\\|c | 12 |',
    );
  });
});

describe('a report', () => {
  it('shows limits, gradstep and ratios, size by size', () => {
    const text = textReport(measured);
    const rowOf = (start: string) =>
      text
        .split('\n')
        .filter((line) => line.trim().startsWith(start))
        .map((line) => line.trim().split(/ {2,}/));
    expect(rowOf('1e6')).toEqual([
      ['1e6', 'AdamW', '1', '0.200', '0.300', '0.320', '94 %', '94 %', '–', '–'],
      ['1e6', 'AdamW', '1', '0.320', '6.00 (18.8 ×)'],
    ]);
    expect(rowOf('161 × 16')[0]).toEqual([
      '161 × 16',
      'AdamW',
      '1',
      '0.272',
      '0.311',
      '1.25 ×',
      '3.00 ×',
      '300 ns',
      '1.70 µs',
    ]);
    expect(text).toContain('A & B · avx512 · 2 cores · L1d 32K · 24 GiB · linux-x64');
    expect(text).toContain('not measured: torch: no command');
    expect(text).toMatch(/adding 10,000 groups \(gradstep, arena\)\s+120 ms/);
  });

  it('in Markdown has the picture, every table and the targets', () => {
    const page = markdownReport(measured);
    expect(page).toContain('](benchmark.svg)');
    expect(page.match(/^## .*/gm)).toEqual([
      '## One parameter, against the limits',
      '## Lists of parameters, against one of the same size',
      '## Against others',
      '## What else costs',
      '## Targets',
    ]);
    expect(page).toContain(
      '| 1e5, AdamW, 1 thread | gradstep, flat: speed of limit | ≥ 95 % | 94 % | within noise |',
    );
    expect(page).toContain(
      '| 1e8, AdamW, 1 thread | gradstep, flat: speed of stream | ≥ 95 % | – | not measured |',
    );
    for (const table of page.split(/^## /m).slice(1)) {
      const widths = table.match(/^\|.*\|$/gm)!.map((row) => row.split(/(?<!\\)\|/).length);
      expect(new Set(widths).size).toBe(1);
    }
  });
});

describe('the picture', () => {
  const svg = drawPicture(measured);
  const curves = [...svg.matchAll(/<polyline points="([^"]*)"[^>]*>/g)].map(
    ([element, points]) => ({
      element,
      points: points!.split(' ').map((point) => point.split(',').map(Number)),
    }),
  );

  it('has a curve for each subject, limits dashed', () => {
    expect(curves.map(({ points }) => points.length)).toEqual([3, 3, 3, 3]);
    expect(curves.filter(({ element }) => element.includes('dasharray'))).toHaveLength(2);
    expect(svg).toContain('AdamW, 1 thread');
    for (const label of ['stream', 'divider', 'gradstep, flat', 'plain JavaScript', 'A &#38; B']) {
      expect(svg).toContain(label);
    }
  });

  it('is logarithmic on both axes, one scale for all', () => {
    const [stream, divider, , plain] = curves.map(({ points }) => points);
    const [a, b, c] = stream!.map(([x]) => x!);
    expect(b! - a!).toBeCloseTo(c! - b!, 0);
    expect(stream!.every(([, y]) => y === stream![0]![1])).toBe(true);
    const rise = (from: number[][], to: number[][]) => from[0]![1]! - to[0]![1]!;
    const decade = rise(stream!, plain!) / Math.log10(6 / 0.2);
    expect(rise(stream!, divider!) / decade).toBeCloseTo(Math.log10(0.3 / 0.2), 2);
    expect(Math.min(...curves.flatMap(({ points }) => points.flat()))).toBeGreaterThan(0);
  });

  it('of nothing is still one', () => {
    expect(drawPicture({ ...measured, series: [] })).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });
});
