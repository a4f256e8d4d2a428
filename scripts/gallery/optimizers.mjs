// docs/optimizers.svg: the paths of every optimizer over the standard functions, one panel each.

import { writeFile } from 'node:fs/promises';
import { short } from '../../dist/cli/scale.js';
import { COLOURS, GREY, INK, LINE, picture, round, text } from '../../dist/cli/svg.js';
import { regionBelow } from '../../examples/dist/paths/contours.js';
import { follow } from '../../examples/dist/paths/follow.js';
import { standardFunctions } from '../../examples/dist/paths/functions.js';
import { recipes } from '../../examples/dist/paths/recipes.js';

const COLUMNS = 3;
const GAP = 12;
const PANEL = { width: 304, height: 242 };
const [BLUE, RED, GREEN] = COLOURS;

/** Where each map lies in a panel, the part of the plane that it shows, and its contour lines. */
const maps = [
  map('rosenbrock', [10, 30, 140, 118], [-1.8, 1.8, -0.9, 2.1], 0.2, 800),
  map('beale', [154, 30, 140, 118], [0, 4.4, -1.4, 1.5], 0.01, 60),
  map('sphere', [10, 152, 92, 80], [-5.12, 5.12, -4.4, 4.4], 0.2, 40),
  map('mcCormick', [106, 152, 92, 80], [-2.2, 1.9, -3, 0.6], 0.05, 12),
  map('matyas', [202, 152, 92, 80], [-10, 6, -7, 7], 0.05, 60),
];

function map(name, [x, y, width, height], [left, right, bottom, top], lowest, highest) {
  const toPixel = ([u, v]) => [
    ((u - left) / (right - left)) * width,
    ((top - v) / (top - bottom)) * height,
  ];
  const toPlane = (u, v) => [
    left + (u / width) * (right - left),
    top - (v / height) * (top - bottom),
  ];
  return { name, x, y, width, height, toPixel, toPlane, lowest, highest };
}

/** Nine regions within each other, at levels that grow by one factor. */
function contours({ name, width, height, toPlane, lowest, highest }) {
  const { value, least } = standardFunctions[name];
  const cell = 2;
  const field = {
    columns: width / cell + 1,
    rows: height / cell + 1,
    at: (column, row) => Math.log(value(...toPlane(column * cell, row * cell)) - least + 1e-12),
  };
  const levels = Array.from({ length: 9 }, (_, i) => highest * (lowest / highest) ** (i / 8));
  const ringOf = (ring) =>
    `M${pathOf(
      thin(
        ring.map(([u, v]) => [u * cell, v * cell]),
        0.8,
      ),
    )}Z`;
  return [
    `<g id="${name}" class="land">`,
    `<rect width="${width}" height="${height}" fill="${BLUE}" fill-opacity="0.05"/>`,
    ...levels.map((level) => {
      return `<path d="${regionBelow(field, Math.log(level)).map(ringOf).join('')}"/>`;
    }),
    '</g>',
  ].join('\n');
}

/** Leaves out points that lie within so many pixels of the one before. */
function thin(points, least) {
  let last = points[0];
  return points.filter((point, i) => {
    const far = Math.hypot(point[0] - last[0], point[1] - last[1]) >= least;
    if (i === 0 || far) last = point;
    return i === 0 || far;
  });
}

const pathOf = (points) => points.map(([x, y]) => `${round(x)} ${round(y)}`).join('L');

/** One map in a panel: the landscape, what `content` draws on it, and a line of words. */
function drawMap(map, content, words) {
  const { name, x, y, width, height, toPixel } = map;
  const { start, minimum } = standardFunctions[name];
  const [sx, sy] = toPixel(start).map(round);
  const [mx, my] = toPixel(minimum).map(round);
  return [
    `<svg x="${x}" y="${y}" width="${width}" height="${height}">`,
    `<use href="#${name}"/>`,
    content,
    `<path class="least" d="M${round(mx - 4)} ${my}h8M${mx} ${round(my - 4)}v8"/>`,
    `<circle cx="${sx}" cy="${sy}" r="3" fill="#ffffff" stroke="${RED}" stroke-width="1.5"/>`,
    text(words, 4, height - 5, { size: 10 }).replace('<text', '<text class="words"'),
    `<rect width="${width}" height="${height}" fill="none" stroke="${LINE}"/>`,
    '</svg>',
  ].join('\n');
}

function drawPanel(index, title, note, mapOf) {
  const x = GAP + (index % COLUMNS) * (PANEL.width + GAP);
  const y = GAP + Math.floor(index / COLUMNS) * (PANEL.height + GAP);
  return [
    `<g transform="translate(${x} ${y})">`,
    `<rect width="${PANEL.width}" height="${PANEL.height}" rx="6" fill="none" stroke="${LINE}"/>`,
    text(title, 10, 20, { size: 13, weight: 600, fill: INK }),
    text(note, PANEL.width - 10, 20, { size: 10, fill: GREY, anchor: 'end' }),
    ...maps.map(mapOf),
    '</g>',
  ].join('\n');
}

const shown = (value) => {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  return typeof value === 'number' ? short(value) : String(value);
};

/** `{ lr: 0.1 }` as `lr 0.1`. */
const told = (options) =>
  Object.entries(options)
    .map(([key, value]) => `${key} ${shown(value)}`)
    .join(', ');

function path(recipe, map) {
  const points = thin(follow(recipe, map.name).map(map.toPixel), 1);
  return `<polyline points="${points.map((point) => point.map(round)).join(' ')}"/>`;
}

/** The picture as text. */
export function optimizerPaths() {
  const key = drawPanel(0, 'Five functions', 'from ○ to +, darker is lower', (map) =>
    drawMap(map, '', standardFunctions[map.name].name),
  );
  const panels = recipes.map((recipe, i) =>
    drawPanel(i + 1, recipe.title, told(recipe.common), (map) =>
      drawMap(map, path(recipe, map), told(recipe.on[map.name])),
    ),
  );
  const rows = Math.ceil((panels.length + 1) / COLUMNS);
  const content = [
    '<style>',
    `.land{fill:${BLUE};fill-opacity:.09;fill-rule:evenodd}`,
    `.land{stroke:${BLUE};stroke-opacity:.3;stroke-width:.5}`,
    `.least{stroke:${GREEN};stroke-width:2}`,
    `polyline{fill:none;stroke:${RED};stroke-width:1.4;stroke-linejoin:round}`,
    '.words{paint-order:stroke;stroke:#fff;stroke-width:2.5;stroke-linejoin:round}',
    '</style>',
    `<defs>\n${maps.map(contours).join('\n')}\n</defs>`,
    key,
    ...panels,
  ];
  const width = GAP + COLUMNS * (PANEL.width + GAP);
  return picture(width, GAP + rows * (PANEL.height + GAP), content.join('\n'));
}

/** Draws, and returns the names of what it wrote. */
export async function draw() {
  const file = 'docs/optimizers.svg';
  await writeFile(new URL(`../../${file}`, import.meta.url), optimizerPaths());
  return [file];
}
