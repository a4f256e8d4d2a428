/** The picture: nanoseconds per value against the number of values, both logarithmic. */

import { COLOURS, GREY, INK, LINE, line, picture, round, text } from '../../lib/cli/svg.ts';
import { OPTIMIZERS } from '../model.ts';
import { type Measured, type Series, SUBJECTS } from '../results.ts';
import { PEERS, perValue, titleOf } from './tables.ts';

interface Style {
  readonly colour: string;
  readonly width: number;
  readonly dash?: string;
}

interface Curve {
  readonly label: string;
  readonly style: Style;
  readonly points: readonly (readonly [values: number, time: number])[];
}

const PANEL = { width: 470, height: 340 };
const MARGIN = { left: 50, right: 18, top: 34, bottom: 40 };
const LEGEND = 58;
const COLUMNS = 2;

const { stream, divider, flat } = SUBJECTS;

const STYLES = new Map<string, Style>([
  [stream, { colour: INK, width: 1.5, dash: '6 3' }],
  [divider, { colour: INK, width: 1.5, dash: '2 3' }],
  [flat, { colour: COLOURS[1], width: 3 }],
  ...PEERS.map((peer, i): [string, Style] => [
    peer,
    { colour: [COLOURS[0], ...COLOURS.slice(2), GREY, INK][i]!, width: 1.5 },
  ]),
]);

/** A panel for each optimizer and number of threads. */
export function drawPicture({ series, machine }: Measured): string {
  const single = series.filter(({ tensors, work }) => tensors === 1 && !work.endsWith('clipped'));
  const threads = [...new Set(single.map((one) => one.threads))].sort((a, b) => a - b);
  const panels = OPTIMIZERS.flatMap((optimizer) =>
    threads.map((count) => {
      return {
        title: titleOf({ optimizer, threads: count }),
        curves: curvesOf(single, optimizer, count),
      };
    }),
  );
  const all = panels.flatMap(({ curves }) => curves);
  const scale = scaleOf(all.flatMap(({ points }) => points));
  const labels = [...STYLES.keys()].filter((name) => all.some(({ label }) => label === name));
  const width = COLUMNS * PANEL.width;
  const height = LEGEND + Math.ceil(panels.length / COLUMNS) * PANEL.height + 20;
  return picture(
    width,
    height,
    [
      ...legend(labels, width),
      ...panels.map(({ title, curves }, i) => {
        const [x, y] = [
          (i % COLUMNS) * PANEL.width,
          LEGEND + Math.floor(i / COLUMNS) * PANEL.height,
        ];
        return panel(title, curves, scale, x, y);
      }),
      text(`${machine.processor}, ${machine.isa}, Node.js ${machine.node}`, 12, height - 8, {
        size: 11,
        fill: GREY,
      }),
    ].join('\n'),
  );
}

function curvesOf(single: readonly Series[], optimizer: string, threads: number): Curve[] {
  const here = single.filter((one) => one.optimizer === optimizer && one.threads === threads);
  return [...STYLES].flatMap(([label, style]) => {
    const points = here
      .filter(({ subject }) => subject === label)
      .map((one) => [one.values, perValue(single, one, label)!] as const)
      .sort(([a], [b]) => a - b);
    return points.length === 0 ? [] : [{ label, style, points }];
  });
}

interface Scale {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** Powers of ten around all points. */
function scaleOf(points: Curve['points']): Scale {
  const ends = (k: 0 | 1): [number, number] => {
    const logs = points.map((point) => Math.log10(point[k]));
    if (logs.length === 0) return [0, 1];
    const [low, high] = [Math.floor(Math.min(...logs) + 1e-9), Math.ceil(Math.max(...logs) - 1e-9)];
    return [low, Math.max(high, low + 1)];
  };
  return { x: ends(0), y: ends(1) };
}

function panel(
  title: string,
  curves: readonly Curve[],
  scale: Scale,
  left: number,
  top: number,
): string {
  const at =
    ([low, high]: readonly [number, number], from: number, to: number) =>
    (value: number) =>
      from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  const [x1, x2] = [left + MARGIN.left, left + PANEL.width - MARGIN.right];
  const [y1, y2] = [top + PANEL.height - MARGIN.bottom, top + MARGIN.top];
  const [xOf, yOf] = [at(scale.x, x1, x2), at(scale.y, y1, y2)];
  const small = { size: 11, fill: GREY };
  return [
    text(title, x1, top + 22, { size: 14, weight: 600 }),
    ...decades(scale.y).flatMap((value) => [
      line(x1, yOf(value), x2, yOf(value), LINE),
      text(named(value), x1 - 6, yOf(value) + 4, { ...small, anchor: 'end' }),
    ]),
    ...decades(scale.x).flatMap((value) => [
      line(xOf(value), y1, xOf(value), y2, LINE),
      text(named(value), xOf(value), y1 + 16, { ...small, anchor: 'middle' }),
    ]),
    text('values', (x1 + x2) / 2, y1 + 32, { ...small, anchor: 'middle' }),
    text('ns per value', x2, top + 22, { ...small, anchor: 'end' }),
    ...curves.map((curve) => draw(curve, xOf, yOf)),
  ].join('\n');
}

function draw(
  { points, style }: Curve,
  xOf: (values: number) => number,
  yOf: (time: number) => number,
): string {
  const { colour, width, dash } = style;
  const places = points.map(([values, time]) => [round(xOf(values)), round(yOf(time))] as const);
  const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash}"`;
  return [
    `<polyline points="${places.map(([x, y]) => `${x},${y}`).join(' ')}" fill="none" ` +
      `stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"${dashes}/>`,
    ...(dash
      ? []
      : places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.5" fill="${colour}"/>`)),
  ].join('\n');
}

function legend(labels: readonly string[], width: number): string[] {
  let [x, y] = [MARGIN.left, 22];
  return labels.flatMap((label) => {
    const { colour, width: stroke, dash } = STYLES.get(label)!;
    const length = 42 + label.length * 6.8;
    if (x + length > width) [x, y] = [MARGIN.left, y + 20];
    const start = x;
    x += length;
    const sample = line(start, y - 4, start + 22, y - 4, colour, stroke);
    return [
      dash ? sample.replace('/>', ` stroke-dasharray="${dash}"/>`) : sample,
      text(label, start + 27, y, { size: 12 }),
    ];
  });
}

const decades = ([low, high]: readonly [number, number]) =>
  Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));

const named = (value: number) =>
  value >= 1e4 || value < 1e-2
    ? value.toExponential().replace('+', '')
    : String(Number(value.toPrecision(3)));
