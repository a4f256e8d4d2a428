/** The package from outside: what is in it, and that it installs and loads, online or not. */

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENTRIES } from '../../scripts/entries.mjs';
import { install, type Packed, packAll, prebuild, root, run } from '../support/consumer.ts';
import { neededVersions, tooYoung } from '../support/symbols.ts';

const TARGET = `${process.platform}-${process.arch}`;
/** Everything that may ship under prebuilds/. */
const PREBUILDS: Readonly<Record<string, string>> = {
  'linux-x64': 'prebuilds/linux-x64/gradstep.glibc.node',
  'linux-arm64': 'prebuilds/linux-arm64/gradstep.armv8.glibc.node',
};

/** Prints which backend runs, and the file of the addon if there is one. */
const REPORT = `
  process.report.excludeNetwork = true;
  const addons = process.report.getReport().sharedObjects.filter((f) => /\\.node$/.test(f));
  const p = { data: new Float32Array([1]), grad: new Float32Array([1]) };
  new gradstep.SGD([p], { lr: 0.5 }).step();
  console.log(JSON.stringify({ backend: gradstep.backend(), addons, stepped: p.data[0] }));
`;
const IMPORT = ['--input-type=module', '-e', `import * as gradstep from 'gradstep'; ${REPORT}`];
const REQUIRE = ['-e', `const gradstep = require('gradstep'); ${REPORT}`];

let folder: string;
let packages: Packed[];
let files: readonly string[];
let consumer: string;
const read = (file: string) => readFileSync(join(root, file), 'utf8');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradstep-package-'));
  prebuild(TARGET);
  packages = packAll(join(folder, 'tarballs'));
  ({ files } = packages[0]!);
  consumer = install(join(folder, 'consumer'), packages);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  const below = (name: string) =>
    readdirSync(join(root, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length));

  it('has exactly these files', () => {
    const sources = below('lib').map((file) => file.replace(/^lib\//, '').replace(/\.ts$/, ''));
    const compiled = sources.flatMap((file) => [
      `dist/${file}.js`,
      ...(file.startsWith('backend/wasm/modules/') ? [] : [`dist/${file}.js.map`]),
      `dist/node/types/${file}.d.ts`,
    ]);
    const entries = Object.values(ENTRIES).flatMap((entry) =>
      ['cjs', 'mjs', 'd.cts', 'd.mts'].map((ending) => `dist/node/${entry}.${ending}`),
    );
    const bundled = ['gradstep.cjs', 'gradstep.cjs.map', 'types/package.json'].map(
      (file) => `dist/node/${file}`,
    );
    const native = below('native').filter((file) => !/^native\/(test|bench)\//.test(file));
    const [prebuilt, others] = [PREBUILDS[TARGET], Object.values(PREBUILDS)];
    const expected = [
      'LICENSE',
      'README.md',
      'package.json',
      'scripts/build-addon.mjs',
      'scripts/gradstep.mjs',
      ...compiled,
      ...entries,
      ...bundled,
      ...native,
    ];
    const shipped = files.filter((file) => file.startsWith('prebuilds/'));
    expect(shipped).toContain(prebuilt);
    expect(others).toEqual(expect.arrayContaining(shipped));
    const rest = files.filter((file) => !shipped.includes(file));
    expect([...rest].sort()).toEqual(expected.sort());
  });

  it('runs nothing when it is installed, and needs only what loads and compiles', () => {
    const manifest = JSON.parse(read('package.json'));
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare'];
    expect(Object.keys(manifest.scripts)).not.toEqual(expect.arrayContaining(hooks));
    for (const hook of hooks) expect(manifest.scripts).not.toHaveProperty(hook);
    expect(manifest.gypfile).toBe(false);
    expect(Object.keys(manifest.dependencies)).toEqual(['node-addon-api', 'node-gyp-build']);
    expect(readdirSync(join(consumer, 'node_modules')).filter((n) => !n.startsWith('.'))).toEqual([
      'gradstep',
      'node-addon-api',
      'node-gyp-build',
    ]);
  });

  it.each([
    ['publint', ['--strict', '--pack', 'false']],
    ['attw', ['--no-color']],
  ])('passes %s', (tool, options) => {
    const bin = join(root, 'node_modules', '.bin', tool);
    const { status, stdout, stderr } = run(bin, [packages[0]!.tarball, ...options], folder);
    expect(status, stdout + stderr).toBe(0);
  });

  it('names no place of the machine that built it', () => {
    const text = (file: string) => readFileSync(join(consumer, 'node_modules/gradstep', file));
    const guilty = files.filter((file) => text(file).includes(root));
    expect(guilty).toEqual([]);
  });
});

describe('a prebuilt addon', () => {
  it.each([
    ['import', IMPORT],
    ['require', REQUIRE],
  ])('loads without any install script, through %s', (_, args) => {
    const { stdout, stderr } = run(process.execPath, args, consumer);
    expect(stderr).toBe('');
    const addons = [expect.stringMatching(`${PREBUILDS[TARGET]}$`)];
    expect(JSON.parse(stdout)).toEqual({ backend: 'native', addons, stepped: 0.5 });
  });

  it('is one package, however it is loaded', () => {
    const program = `
      import * as imported from 'gradstep';
      import * as portable from 'gradstep/portable';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('gradstep');
      const names = Object.keys(portable);
      console.log(names.length > 50, names.every((name) =>
        imported[name] === required[name] && imported[name] === portable[name]));
    `;
    const { stdout, stderr } = run(
      process.execPath,
      ['--input-type=module', '-e', program],
      consumer,
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('true true\n');
  });

  it('asks for no younger system libraries than Node.js 20 does', () => {
    const file = join(root, PREBUILDS[TARGET]!);
    const versions = neededVersions(file);
    expect(versions.some((version) => version.startsWith('GLIBC_'))).toBe(true);
    expect(tooYoung(versions)).toEqual([]);
    expect(tooYoung(['GLIBC_2.28', 'GLIBC_2.29', 'GLIBCXX_3.4.3', 'CXXABI_1.3.13'])).toEqual([
      'GLIBC_2.29',
      'CXXABI_1.3.13',
    ]);
  });
});

describe('without a prebuilt addon', () => {
  let bare: string;
  const load = (env: NodeJS.ProcessEnv = {}) => run(process.execPath, IMPORT, bare, env);

  beforeAll(() => {
    bare = install(join(folder, 'bare'), packages);
    rmSync(join(bare, 'node_modules', 'gradstep', 'prebuilds'), { recursive: true });
  });

  it('steps all the same, and warns with a code and the command that helps', () => {
    const { stdout, stderr } = load();
    expect(JSON.parse(stdout)).toEqual({ backend: 'wasm', addons: [], stepped: 0.5 });
    expect(stderr).toContain('[ERR_NATIVE_UNAVAILABLE] GradstepWarning: ');
    expect(stderr).toContain(`${TARGET} (Node.js ${process.version})`);
  });

  it('refuses where the addon is demanded', () => {
    const { status, stderr } = load({ GRADSTEP_BACKEND: 'native' });
    expect(status).toBe(1);
    expect(stderr).toContain("code: 'ERR_NATIVE_UNAVAILABLE'");
  });

  it('says what is missing where there are no headers, and downloads nothing', () => {
    const strange = join(folder, 'node'); // this Node.js, without anything beside it
    copyFileSync(process.execPath, strange);
    const command = [join(bare, 'node_modules', '.bin', 'gradstep'), 'build'];
    const withoutGyp = run(strange, command, bare);
    expect(withoutGyp.status).toBe(1);
    expect(withoutGyp.stderr).toContain('ERR_NATIVE_UNAVAILABLE');
    expect(withoutGyp.stderr).toContain("'npx gradstep build'");
    const nodeGyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    const withoutHeaders = run(strange, command, bare, { npm_config_node_gyp: nodeGyp });
    expect(withoutHeaders.status).toBe(1);
    expect(withoutHeaders.stderr).toContain('ERR_NATIVE_UNAVAILABLE');
    expect(withoutHeaders.stderr).toContain("'npx gradstep build --download-headers'");
  });

  it('says what is missing where there is no compiler', () => {
    const { status, stderr } = run('npx', ['gradstep', 'build'], bare, { CXX: 'no-such-compiler' });
    expect(status).toBe(1);
    expect(stderr).toContain('no-such-compiler');
    expect(stderr).toContain('ERR_NATIVE_UNAVAILABLE');
    expect(stderr).toContain('a C++17 compiler');
  });

  it('loads the addon that this very command has compiled', () => {
    const [, command] = load().stderr.match(/Compile one with '(.+?)'/)!;
    const [program, ...args] = command!.split(' ');
    const compiled = run(program!, args, bare);
    expect(compiled.status, compiled.stderr).toBe(0);
    const { stdout, stderr } = load();
    expect(stderr).toBe('');
    const addons = [expect.stringMatching('/bare/node_modules/gradstep/build/Release/')];
    expect(JSON.parse(stdout)).toEqual({ backend: 'native', addons, stepped: 0.5 });
  }, 180_000);
});
