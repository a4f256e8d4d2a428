/** The rooms of lib/: imports go down, which a check holds and a picture shows. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

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
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = join(root, '.dependency-cruiser.mjs');
  const args = [program, 'lib', '--config', config, '--output-type', 'err-long'];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { status, said: stdout.replace(/\s+/g, ' ') };
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
});

// `npm test` has built what the script imports.
it('docs/rooms.svg is what `npm run gallery` draws', async () => {
  const script = new URL('../../scripts/gallery/rooms.mjs', import.meta.url).href;
  const { roomsPicture } = await import(script);
  const committed = readFileSync(join(root, 'docs/rooms.svg'), 'utf8');
  expect((await roomsPicture('lib')) === committed).toBe(true);
});
