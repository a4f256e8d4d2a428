// docs/rooms.svg: the rooms of lib/ and which imports which, from the imports as they are. Arrows
// that a chain of other arrows says already are left out.

import { writeFile } from 'node:fs/promises';
import { cruise } from 'dependency-cruiser';
import { GREY, INK, line, picture, round, text } from '../../dist/cli/svg.js';
import { NATIVE_ROOMS, ROOMS, roomOf } from '../rooms.mjs';

const BOX = { width: 166, height: 44, gap: 16, floor: 78 };

/** By room: its name, what it is for, and the rooms that it imports from. */
async function measure(folder) {
  const { output } = await cruise([folder], {
    tsPreCompilationDeps: true,
    doNotFollow: 'node_modules',
  });
  const rooms = new Map(ROOMS.map(([name, what]) => [name, { name, what, below: new Set() }]));
  for (const { source, dependencies } of output.modules) {
    const room = rooms.get(source.startsWith('lib/') ? roomOf(source) : '');
    if (room === undefined) continue;
    for (const { resolved } of dependencies) {
      const other = resolved.startsWith('lib/') ? roomOf(resolved) : room.name;
      if (other !== room.name) room.below.add(other);
    }
  }
  return rooms;
}

/** Whether a chain of arrows leads from one room to another. */
function leads(rooms, from, to) {
  return [...rooms.get(from).below].some((next) => next === to || leads(rooms, next, to));
}

/** The arrows that no chain of others says. */
function shortArrows(rooms) {
  return [...rooms.values()].flatMap(({ name, below }) =>
    [...below]
      .filter((to) => ![...below].some((next) => next !== to && leads(rooms, next, to)))
      .map((to) => [name, to]),
  );
}

/** By floor, from the top: a room stands one floor above the highest that it imports. */
function floorsOf(rooms) {
  const heights = new Map();
  for (const [name] of [...ROOMS].reverse()) {
    const below = [...rooms.get(name).below].map((room) => heights.get(room));
    heights.set(name, Math.max(-1, ...below) + 1);
  }
  const floors = Array.from({ length: Math.max(...heights.values()) + 1 }, () => []);
  for (const [name] of ROOMS) floors[heights.get(name)].push(name);
  return floors.reverse();
}

function placesOf(floors, width) {
  const places = new Map();
  for (const [i, floor] of floors.entries()) {
    const wide = floor.length * (BOX.width + BOX.gap) - BOX.gap;
    for (const [j, name] of floor.entries()) {
      const x = (width - wide) / 2 + j * (BOX.width + BOX.gap);
      places.set(name, { x, y: 52 + i * BOX.floor });
    }
  }
  return places;
}

function drawBox({ name, what }, { x, y }) {
  const middle = x + BOX.width / 2;
  return [
    `<rect x="${round(x)}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6" fill="#f3f6fa" stroke="${INK}"/>`,
    text(name, middle, y + 18, { size: 13, weight: 600, anchor: 'middle' }),
    text(what, middle, y + 35, { size: 11, fill: GREY, anchor: 'middle' }),
  ].join('\n');
}

function drawArrow(from, to) {
  const [x1, y1] = [from.x + BOX.width / 2, from.y + BOX.height];
  const [x2, y2] = [to.x + BOX.width / 2, to.y - 5];
  const bend = (y2 - y1) / 2;
  return (
    `<path d="M${round(x1)} ${y1} C${round(x1)} ${round(y1 + bend)} ${round(x2)} ${round(y2 - bend)} ` +
    `${round(x2)} ${y2}" fill="none" stroke="${GREY}" marker-end="url(#tip)"/>`
  );
}

const TIP =
  '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="3" refY="3" orient="auto">' +
  `<path d="M0 0 L6 3 L0 6 z" fill="${GREY}"/></marker></defs>`;

/** The picture of a checkout's `lib` folder. */
export async function roomsPicture(folder = 'lib') {
  const rooms = await measure(folder);
  const floors = floorsOf(rooms);
  const width = Math.max(...floors.map(({ length }) => length)) * (BOX.width + BOX.gap) + 48;
  const places = placesOf(floors, width);
  const height = 52 + floors.length * BOX.floor + 20;
  const arrows = shortArrows(rooms).map(([from, to]) =>
    drawArrow(places.get(from), places.get(to)),
  );
  const boxes = [...rooms.values()].map((room) => drawBox(room, places.get(room.name)));
  const native = height - 34;
  return picture(
    width,
    height,
    [
      TIP,
      text('The rooms of lib/: imports go down', 24, 30, { size: 16, weight: 600 }),
      ...arrows,
      ...boxes,
      line(24, native, width - 24, native, GREY),
      text(`Node-API: native/${NATIVE_ROOMS.join(', ')}`, width / 2, native + 20, {
        size: 12,
        fill: GREY,
        anchor: 'middle',
      }),
    ].join('\n'),
  );
}

export async function draw() {
  await writeFile(new URL('../../docs/rooms.svg', import.meta.url), await roomsPicture());
  return ['docs/rooms.svg'];
}
