/** Curves as an SVG: one chart, or many small ones in a grid. */

import { extentOf, short, ticks } from './scale.ts';
import type { Series } from './series.ts';
import { COLOURS, GREY, INK, LINE, line, picture, round, text } from './svg.ts';

/** One chart: its title, a line below it, and its curves. */
export interface Chart {
  readonly title: string;
  readonly note?: string;
  readonly series: readonly Series[];
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A picture with one chart. */
export function svgPlot(chart: Chart, width = 720, height = 400): string {
  return picture(width, height, drawChart(chart, { x: 0, y: 0, width, height }, 5));
}

/** A picture with a grid of charts under headings. */
export function svgGrid(
  sections: readonly { readonly heading: string; readonly charts: readonly Chart[] }[],
  columns = 4,
): string {
  const cell = { width: 236, height: 168 };
  let y = 12;
  const parts: string[] = [];
  for (const { heading, charts } of sections) {
    parts.push(text(heading, 16, y + 18, { size: 17, weight: 600 }));
    y += 30;
    charts.forEach((chart, i) => {
      const x = 8 + (i % columns) * cell.width;
      const top = y + Math.floor(i / columns) * cell.height;
      parts.push(drawChart(chart, { x, y: top, ...cell }, 2));
    });
    y += Math.ceil(charts.length / columns) * cell.height + 10;
  }
  return picture(columns * cell.width + 16, y, parts.join('\n'));
}

function drawChart({ title, note, series }: Chart, box: Box, tickCount: number): string {
  const small = box.width < 400;
  const legend = series.length > 1 ? 20 : 0;
  const [low, high] = extentOf(series.map(({ values }) => values));
  const yTicks = ticks(low, high, tickCount);
  const size = small ? 10 : 12;
  const left = box.x + 14 + Math.max(...yTicks.map((tick) => short(tick).length)) * size * 0.62;
  const top = box.y + (note ? 42 : 28) + (small ? 0 : 10) + legend;
  const right = box.x + box.width - 14;
  const bottom = box.y + box.height - (small ? 24 : 42);
  const last = Math.max(1, ...series.map(({ values }) => values.length - 1));
  const xOf = (step: number) => left + (step / last) * (right - left);
  const yOf = (value: number) => bottom - ((value - low) / (high - low)) * (bottom - top);

  const titleY = box.y + (small ? 16 : 26);
  return [
    text(title, box.x + 12, titleY, { size: small ? 12 : 16, weight: 600 }),
    note ? text(note, box.x + 12, titleY + 15, { size: size - 0.5, fill: GREY }) : '',
    ...yTicks.flatMap((tick) => [
      line(left, yOf(tick), right, yOf(tick), LINE),
      text(short(tick), left - 5, yOf(tick) + size * 0.35, { size, fill: GREY, anchor: 'end' }),
    ]),
    ...ticks(0, last, small ? 3 : 6).map((tick) =>
      text(short(tick), xOf(tick), bottom + size + 4, { size, fill: GREY, anchor: 'middle' }),
    ),
    line(left, bottom, right, bottom, GREY),
    small
      ? ''
      : text('step', (left + right) / 2, bottom + 34, { size, fill: GREY, anchor: 'middle' }),
    ...series.map(({ values }, i) => curve(values, xOf, yOf, COLOURS[i % COLOURS.length]!)),
    ...(legend ? drawLegend(series, box.x + 12, titleY + (note ? 32 : 20)) : []),
  ]
    .filter(Boolean)
    .join('\n');
}

function drawLegend(series: readonly Series[], x: number, y: number): string[] {
  let at = x;
  return series.flatMap(({ label }, i) => {
    const start = at;
    at += 34 + label.length * 7;
    return [
      line(start, y - 4, start + 16, y - 4, COLOURS[i % COLOURS.length]!, 2),
      text(label, start + 21, y, { size: 12, fill: INK }),
    ];
  });
}

/** A polyline of at most 600 points; of many steps in one place, the least and largest value. */
function curve(
  values: readonly number[],
  xOf: (step: number) => number,
  yOf: (value: number) => number,
  colour: string,
): string {
  const stride = Math.max(1, Math.ceil(values.length / 300));
  const points: string[] = [];
  const add = (step: number) => points.push(`${round(xOf(step))},${round(yOf(values[step]!))}`);
  for (let start = 0; start < values.length; start += stride) {
    const end = Math.min(start + stride, values.length);
    let [least, most] = [start, start];
    for (let step = start; step < end; step++) {
      if (values[step]! < values[least]!) least = step;
      if (values[step]! >= values[most]!) most = step;
    }
    for (const step of new Set([Math.min(least, most), Math.max(least, most)])) add(step);
  }
  return (
    `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" ` +
    'stroke-width="2" stroke-linejoin="round"/>'
  );
}
