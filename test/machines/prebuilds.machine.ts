/** What ships for both machines at once; the rest of the tarball is told by package.test.ts. */

import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { neededVersions, tooYoung } from '../support/symbols.ts';

const SHIPPED = [
  'prebuilds/linux-arm64/gradstep.armv8.glibc.node',
  'prebuilds/linux-x64/gradstep.glibc.node',
];

test('one tarball has both prebuilt addons, and no other', () => {
  expect(
    inject('files')
      .filter((file) => file.startsWith('prebuilds/'))
      .sort(),
  ).toEqual(SHIPPED);
});

test.for(SHIPPED)(
  '%s asks for no younger libraries than Node.js 20',
  async (file, { annotate }) => {
    const versions = neededVersions(join(inject('consumer'), 'node_modules', 'gradstep', file));
    expect(versions.length).toBeGreaterThan(3);
    expect(tooYoung(versions)).toEqual([]);
    await annotate(versions.join(', '));
  },
);
