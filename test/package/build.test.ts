/** The compiled addon: which sources and defines went into it, and which instructions came out. */

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root, run } from '../support/consumer.ts';
import { disassembly, neededVersions, symbols, tooYoung } from '../support/symbols.ts';

const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');

interface Manifest {
  kernels: string[];
  core: string[];
  wasm: string[];
  addon: string[];
  defines: string[];
}
const manifest: Manifest = JSON.parse(read('native', 'sources.json'));
const listed = ({ kernels, core, addon }: Manifest) => [...kernels, ...core, ...addon];
const built = join(root, 'build');
const addon = join(built, 'Release', 'gradstep.node');

/** The sources and the defines of node-gyp's makefile. */
function compiledBy(makefile: string): { sources: string[]; defines: string } {
  const text = readFileSync(makefile, 'utf8');
  const objects = text.match(/\/native\/\S+\.o\b/g) ?? [];
  const sources = objects.map((object) => object.slice(1).replace(/\.o$/, '.cc'));
  return { sources, defines: text.match(/DEFS_Release := ([\s\S]*?)\n\n/)![1]! };
}

describe('native/sources.json', () => {
  it('names every source of native/, tests and benchmarks apart', () => {
    const sources = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.cc') && !/^(test|bench)\//.test(file))
      .map((file) => `native/${file}`);
    expect([...new Set([...listed(manifest), ...manifest.wasm])].sort()).toEqual(sources.sort());
  });

  it('is the only list: neither build names a source of its own', () => {
    const sources = /[\w}/]+(?<!native\/(test|bench)\/[\w${}]+)\.cc\b/g;
    for (const file of ['native/addon.gypi', 'CMakeLists.txt']) {
      expect(read(file)).toContain('native/sources.json');
      expect(read(file).match(sources)).toBeNull();
      for (const define of manifest.defines) expect(read(file)).not.toContain(define);
    }
  });

  it('is what node-gyp has compiled', () => {
    const { sources, defines } = compiledBy(join(built, 'gradstep.target.mk'));
    expect(sources.sort()).toEqual(listed(manifest).sort());
    for (const define of manifest.defines) expect(defines).toContain(`-D${define}`);
  });

  // CTest's "manifest" does the same with CMake: test/cmake/manifest.cmake.
  it('is seen by node-gyp when it is edited', () => {
    const copy = join(root, 'build-manifest');
    onTestFinished(() => rmSync(copy, { recursive: true }));
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy);
    for (const name of ['binding.gyp', 'native', 'package.json']) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    const edited: Manifest = {
      ...manifest,
      core: [...manifest.core, 'native/core/added.cc'],
      defines: [...manifest.defines, 'GRADSTEP_ADDED=1'],
    };
    writeFileSync(join(copy, 'native', 'sources.json'), JSON.stringify(edited));
    const args = ['node_modules/node-gyp/bin/node-gyp.js', 'configure', '-C', copy];
    const { status, stderr } = run(process.execPath, args, root, {
      npm_config_nodedir: process.env.npm_config_nodedir ?? join(process.execPath, '../..'),
    });
    expect(status, stderr).toBe(0);
    const { sources, defines } = compiledBy(join(copy, 'build', 'gradstep.target.mk'));
    expect(sources.sort()).toEqual(listed(edited).sort());
    expect(defines).toContain('-DGRADSTEP_ADDED=1');
  });
});

it('builds without making prebuilds first, though npm runs prebuild before build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradstep-hook-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const scripts = {
    prebuild: `node "${join(root, 'scripts', 'prebuild.mjs')}"`,
    build: 'echo built',
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts }));
  const { stdout, status } = run('npm', ['run', 'build'], folder);
  expect(status).toBe(0);
  expect(stdout).toMatch(/built\s*$/);
  expect(stdout).not.toMatch(/gyp|CXX/);
});

describe.runIf(process.platform === 'linux')('the addon', () => {
  it('calls nothing of libuv, which Bun lacks', () => {
    const undefinedOnes = symbols(addon, '-D', '--undefined-only').map(({ name }) => name);
    expect(undefinedOnes.some((name) => name.startsWith('napi_'))).toBe(true);
    expect(undefinedOnes.filter((name) => name.startsWith('uv_'))).toEqual([]);
  });

  it('asks for no younger system libraries than Node.js 20 does', () => {
    expect(tooYoung(neededVersions(addon))).toEqual([]);
  });

  it.runIf(process.arch === 'x64')(
    'has AVX instructions in the kernels of AVX2 and AVX-512, and nowhere else',
    () => {
      const guilty = new Set<string>();
      const seen = { avx2: 0, avx512: 0 };
      for (const { name, instructions } of disassembly(addon)) {
        // Every instruction of AVX and its successors begins with a v, and few others do.
        const avx = instructions.filter((text) => /^\{?v(?!err|erw|mcall)/.test(text));
        if (avx.length === 0) continue;
        if (/(?<![A-Za-z])Avx2(?![a-z0-9])/.test(name)) seen.avx2++;
        else if (/(?<![A-Za-z])Avx512(?![a-z0-9])/.test(name)) seen.avx512++;
        else guilty.add(name);
      }
      expect([...guilty]).toEqual([]);
      expect(Math.min(seen.avx2, seen.avx512)).toBeGreaterThan(10);
    },
  );

  it.each(['avx2', 'avx512', 'neon', 'scalar'])('has no weak symbol in %s.o', (isa) => {
    const object = join(
      built,
      'Release',
      'obj.target',
      'gradstep',
      'native',
      'kernels',
      `${isa}.o`,
    );
    const all = symbols(object);
    expect(all.some(({ name }) => /Table$/.test(name))).toBe(true);
    expect(all.filter(({ kind }) => /[vVwWu]/.test(kind))).toEqual([]);
  });
});

it('names no registry in the lock file', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved"|https?:\/\/[^"]*registry/);
});
