/** The rooms of lib/: imports go down, which a check holds and a picture shows. */

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { NATIVE_ROOMS } from '../../scripts/rooms.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** What the check says of a tree of files: its exit code and its words. */
function check(files: Record<string, string>): { status: number | null; said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'rooms-'));
  folders.push(folder);
  for (const [file, content] of Object.entries({ 'tsconfig.json': '{}', ...files })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const args = [join(root, 'scripts/check-rooms.mjs'), folder];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, said: (stdout + stderr).replace(/\s+/g, ' ') };
}

describe('the check of rooms', () => {
  it('lets imports go down', () => {
    const files = {
      'lib/slots/slot.ts': "import '../support/errors.ts';",
      'lib/support/errors.ts': '',
    };
    expect(check(files)).toMatchObject({ status: 0 });
  });

  it('refuses one upward, even of a type, with the rule', () => {
    const { status, said } = check({
      'lib/slots/slot.ts': 'export interface Slot {}',
      'lib/support/errors.ts':
        "import type { Slot } from '../slots/slot.ts';\nexport type S = Slot;",
    });
    expect(status).not.toBe(0);
    expect(said).toContain(
      'no-import-upward-from-support: lib/support/errors.ts → lib/slots/slot.ts',
    );
    expect(said).toContain(
      "lib/support/errors.ts:1: import type { Slot } from '../slots/slot.ts'; no-import-upward",
    );
    expect(said).toContain('lib/support knows nothing of the rooms above it');
  });

  it('refuses a circle inside a room', () => {
    const { status, said } = check({
      'lib/slots/a.ts': "import './b.ts';",
      'lib/slots/b.ts': "import './a.ts';",
    });
    expect(status).not.toBe(0);
    expect(said).toContain('no-circle: lib/slots/a.ts → lib/slots/b.ts');
  });

  it('refuses a room that has no place', () => {
    const { status, said } = check({
      'lib/index.ts': "import './attic/box.ts';",
      'lib/attic/box.ts': '',
    });
    expect(status).not.toBe(0);
    expect(said).toContain('no-unknown-room: lib/index.ts → lib/attic/box.ts');
  });

  it('refuses one that nobody imports, too', () => {
    for (const file of ['lib/attic/box.ts', 'lib/third.ts']) {
      const { status, said } = check({
        [file]: `import '${file === 'lib/third.ts' ? '.' : '..'}/index.ts';`,
        'lib/index.ts': '',
      });
      expect(status).not.toBe(0);
      expect(said).toContain(`no-unknown-room-on-top: ${file} → lib/index.ts`);
    }
  });
});

describe('the check of native rooms', () => {
  /** What it says of a tree with these files, and an empty one in every room. */
  function checkNative(files: Record<string, string>) {
    const folder = mkdtempSync(join(tmpdir(), 'rooms-'));
    folders.push(folder);
    const empty = NATIVE_ROOMS.map((room): [string, string] => [`native/${room}/empty.h`, '']);
    for (const [file, content] of Object.entries({ ...Object.fromEntries(empty), ...files })) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    const args = [join(root, 'scripts/check-native-rooms.mjs'), folder];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    return { status, said: stderr };
  }

  it('lets includes go down', () => {
    const files = { 'native/core/a.cc': '#include "../math/empty.h"\n#include <vector>\n' };
    expect(checkNative(files)).toEqual({ status: 0, said: '' });
  });

  it('refuses one upward, with its line and the rule', () => {
    const { status, said } = checkNative({
      'native/rules/a.h': '#include <cmath>\n#include "../core/empty.h"\n',
    });
    expect(status).toBe(1);
    expect(said).toContain('native/rules/a.h:2: #include "../core/empty.h"');
    expect(said).toContain('native/rules knows nothing of native/core');
  });

  it('refuses a circle', () => {
    const { status, said } = checkNative({
      'native/simd/a.h': '#include "b.h"\n',
      'native/simd/b.h': '#include "a.h"\n',
    });
    expect(status).toBe(1);
    expect(said).toContain('native/simd/a.h:1: #include "b.h"');
    expect(said).toContain('native/simd/a.h -> native/simd/b.h -> native/simd/a.h');
  });

  it('looks into folders of a room, and is not fooled by blanks', () => {
    const { status, said } = checkNative({
      'native/math/deep/a.h': '  #  include  "../../simd/empty.h"\n',
    });
    expect(status).toBe(1);
    expect(said).toContain('native/math/deep/a.h:1: #  include  "../../simd/empty.h"');
  });

  it('refuses a room that has no place, but for tests and benchmarks', () => {
    const free = { 'native/test/a.cc': '#include "../addon/empty.h"\n', 'native/bench/b.h': '' };
    expect(checkNative(free)).toEqual({ status: 0, said: '' });
    const { status, said } = checkNative({ 'native/attic/box.h': '' });
    expect(status).toBe(1);
    expect(said).toContain('native/attic');
    expect(said).toContain('name it in scripts/rooms.mjs');
  });
});

// `npm test` has built what the script imports.
it('docs/rooms.svg is what `npm run gallery` draws', async () => {
  const script = new URL('../../scripts/gallery/rooms.mjs', import.meta.url).href;
  const { roomsPicture } = await import(script);
  const committed = readFileSync(join(root, 'docs/rooms.svg'), 'utf8');
  expect((await roomsPicture('lib')) === committed).toBe(true);
});

describe('CONTRIBUTING.md', () => {
  const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

  it('names files that are there', () => {
    const named = [
      ...text.matchAll(/`((?:lib|native|test|scripts|docs|bench|examples)\/[\w./-]+)`/g),
    ];
    expect(named.length).toBeGreaterThan(60);
    const missing = named
      .map(([, path]) => path!.replace('NAME', path!.startsWith('lib/cli/') ? 'schedule' : 'adam'))
      .filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });

  it('names what stands in the file that it names: `Plan::prepare` (`native/core/plan.cc`)', () => {
    const named = [...text.matchAll(/`([\w:.]+)(?:\(…?\))?` \(`((?:lib|native)\/[\w./-]+)`/g)];
    expect(named.length).toBeGreaterThan(13);
    const wrong = named.filter(([, name, path]) => {
      const words = name!.split(/::|\./);
      const source = readFileSync(join(root, path!), 'utf8');
      return !words.every((word) => new RegExp(`\\b${word}\\b`).test(source));
    });
    expect(wrong.map(([whole]) => whole)).toEqual([]);
  });
});
