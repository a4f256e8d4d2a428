// Holds the order of the rooms of native/ (scripts/rooms.mjs): no include upward, no file that
// includes itself by way of others, no room without a place. Tests and benchmarks may include
// whatever they like.
// `npm run check` runs it; a folder may be named, for its own test.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { NATIVE_ROOMS } from './rooms.mjs';

const root = process.argv[2] ?? '.';
const FREE = ['test', 'bench'];
const roomOf = (file) => file.split('/')[1];

function unknownRooms() {
  return readdirSync(join(root, 'native'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && ![...NATIVE_ROOMS, ...FREE].includes(entry.name))
    .map(
      ({ name }) =>
        `native/${name}\n  Every room has a place in the order (${NATIVE_ROOMS.join(', ')}): ` +
        'name it in scripts/rooms.mjs.',
    );
}

/** By file: what it includes of ours, with the line that says so. */
function readIncludes() {
  const files = NATIVE_ROOMS.flatMap((room) => {
    const folder = join('native', room);
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  });
  return new Map(
    files.map((file) => {
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      const includes = lines.flatMap((line, i) => {
        const [, path] = line.match(/^\s*#\s*include\s*"([^"]+)"/) ?? [];
        const where = `${file}:${i + 1}: ${line.trim()}`;
        return path === undefined ? [] : [{ to: normalize(join(dirname(file), path)), where }];
      });
      return [file, includes];
    }),
  );
}

function upward(includes) {
  return [...includes].flatMap(([file, list]) =>
    list
      .filter(({ to }) => NATIVE_ROOMS.indexOf(roomOf(to)) < NATIVE_ROOMS.indexOf(roomOf(file)))
      .map(
        ({ to, where }) =>
          `${where}\n  Includes go down: native/${roomOf(file)} knows nothing of native/${roomOf(to)}. ` +
          `Give what both need to the lower room (the order: ${NATIVE_ROOMS.join(', ')}).`,
      ),
  );
}

/** The first circle that a walk from this file meets, if any; `done` lead into none. */
function circleFrom(file, includes, done, path = []) {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
  if (done.has(file)) return undefined;
  for (const { to } of includes.get(file) ?? []) {
    const circle = circleFrom(to, includes, done, [...path, file]);
    if (circle !== undefined) return circle;
  }
  done.add(file);
  return undefined;
}

function circles(includes) {
  const done = new Set();
  for (const file of includes.keys()) {
    const circle = circleFrom(file, includes, done);
    if (circle !== undefined) {
      const { where } = includes.get(circle[0]).find(({ to }) => to === circle[1]);
      return [
        `${where}\n  Files do not include each other in a circle: ${circle.join(' -> ')}. Give what ` +
          'both need to one of them, or to a file of its own.',
      ];
    }
  }
  return [];
}

const includes = readIncludes();
const problems = [...unknownRooms(), ...upward(includes), ...circles(includes)];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
