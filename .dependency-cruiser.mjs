// Holds the order of the rooms of lib/ (scripts/rooms.mjs); run by `npm run check`.
import { ROOMS } from './scripts/rooms.mjs';

const names = ROOMS.map(([name]) => name.replace('.', '\\.'));
const isIn = (list) => `^lib/(${list.join('|')})(/|$)`;

const upward = names.slice(1).map((name, i) => ({
  name: `no-import-upward-from-${name.replace('\\.ts', '')}`,
  comment: `Imports go down: lib/${ROOMS[i + 1][0]} knows nothing of the rooms above it. Give what both need to the lower room (scripts/rooms.mjs has the order).`,
  severity: 'error',
  from: { path: isIn([name]) },
  to: { path: isIn(names.slice(0, i + 1)) },
}));

const unknown = {
  comment: 'Every file of lib/ is in a room of scripts/rooms.mjs: give the new room its place.',
  severity: 'error',
};

export default {
  forbidden: [
    ...upward,
    {
      name: 'no-circle',
      comment:
        'Files do not import each other in a circle, types included: give what both need to one of them, or to a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    { name: 'no-unknown-room', ...unknown, from: {}, to: { path: '^lib/', pathNot: isIn(names) } },
    {
      name: 'no-unknown-room-on-top', // which nobody imports, but tests or the package's exports
      ...unknown,
      from: { path: '^lib/', pathNot: isIn(names) },
      to: {},
    },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' } },
};
