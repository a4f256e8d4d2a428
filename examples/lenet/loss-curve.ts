/** Draws the loss of each step as an SVG: the raw values pale, their moving average over them. */

const WIDTH = 840;
const HEIGHT = 480;
const LEFT = 72;
const RIGHT = WIDTH - 28;
const TOP = 88;
const BOTTOM = HEIGHT - 64;

const INK = '#1f2937';
const GREY = '#6b7280';
const GRID = '#e5e7eb';
const RAW = 'stroke="#a9c6ea"';
const SMOOTH = 'stroke="#1d4ed8" stroke-width="2.5"';

/** A longer run is drawn by means of several steps: more points than pixels show nothing. */
const MOST_POINTS = 1_500;

/** The picture as text; `title` and `subtitle` stand above the curve. */
export function lossCurve(losses: readonly number[], title: string, subtitle: string): string {
  const stride = Math.ceil(losses.length / MOST_POINTS);
  const points = chunkMeans(losses, stride);
  const reach = Math.ceil(points.length / 80);
  const yTicks = ticks(Math.max(...points), 5);
  const top = Number(yTicks.at(-1));
  const x = (step: number) => LEFT + ((RIGHT - LEFT) * step) / losses.length;
  const y = (loss: number) => BOTTOM - ((BOTTOM - TOP) * loss) / top;
  const curve = (values: readonly number[], style: string) => {
    const places = values.map((loss, i) => {
      const step = Math.min((i + 1) * stride, losses.length);
      return `${x(step).toFixed(1)},${y(loss).toFixed(1)}`;
    });
    return `<polyline points="${places.join(' ')}" fill="none" stroke-linejoin="round" ${style}/>`;
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}"`,
    ` height="${HEIGHT}" font-family="system-ui, Helvetica, Arial, sans-serif" font-size="14"`,
    ` fill="${INK}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(title, LEFT, 36, `font-size="20" font-weight="600"`),
    text(subtitle, LEFT, 60, `fill="${GREY}"`),
    ...yTicks.flatMap((tick) => yTick(tick, y(Number(tick)))),
    ...ticks(Math.max(8, losses.length), 8)
      .filter((tick) => Number(tick) <= losses.length)
      .flatMap((tick) => xTick(tick, x(Number(tick)))),
    curve(points, RAW),
    curve(movingAverage(points, reach), SMOOTH),
    ...axisTitles(),
    ...legend(TOP + 22, RAW, stride === 1 ? 'each step' : `mean of ${stride} steps`),
    ...legend(TOP + 44, SMOOTH, `mean of ${(2 * reach + 1) * stride} steps`),
    '</svg>',
    '',
  ].join('\n');
}

/** Round numbers from 0 to `most` or just above, about `count` of them, as they are written. */
export function ticks(most: number, count: number): string[] {
  const exponent = Math.floor(Math.log10(most / count));
  const unit = [1, 2, 5, 10].find((unit) => unit * 10 ** exponent * count >= most * 0.999)!;
  const step = unit * 10 ** exponent;
  const digits = Math.max(0, unit === 10 ? -exponent - 1 : -exponent);
  const last = Math.ceil(most / step - 0.001);
  return Array.from({ length: last + 1 }, (_, i) => (i * step).toFixed(digits));
}

/** The means of `size` values each; the last chunk may be shorter. */
export function chunkMeans(values: readonly number[], size: number): number[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) =>
    mean(values.slice(i * size, (i + 1) * size)),
  );
}

/** The mean of each value and its neighbours, up to `reach` on each side. */
export function movingAverage(values: readonly number[], reach: number): number[] {
  return values.map((_, i) => mean(values.slice(Math.max(0, i - reach), i + reach + 1)));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b) / values.length;
}

function yTick(loss: string, y: number): string[] {
  return [
    line(LEFT, y, RIGHT, y, `stroke="${y === BOTTOM ? GREY : GRID}"`),
    text(loss, LEFT - 10, y + 5, `fill="${GREY}" text-anchor="end"`),
  ];
}

function xTick(step: string, x: number): string[] {
  return [
    line(x, BOTTOM, x, BOTTOM + 6, `stroke="${GREY}"`),
    text(step, x, BOTTOM + 24, `fill="${GREY}" text-anchor="middle"`),
  ];
}

function axisTitles(): string[] {
  return [
    text('step', (LEFT + RIGHT) / 2, HEIGHT - 16, 'text-anchor="middle"'),
    `<g transform="translate(22 ${(TOP + BOTTOM) / 2}) rotate(-90)">`,
    text('cross-entropy loss (nats)', 0, 0, 'text-anchor="middle"'),
    '</g>',
  ];
}

function legend(y: number, stroke: string, label: string): string[] {
  const x = RIGHT - 190;
  return [line(x, y, x + 28, y, stroke), text(label, x + 38, y + 5, `fill="${GREY}"`)];
}

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${style}/>`;
}

function text(content: string, x: number, y: number, style: string): string {
  const safe = content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text x="${x}" y="${y}" ${style}>${safe}</text>`;
}
