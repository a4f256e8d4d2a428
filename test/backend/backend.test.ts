/** Which backend steps, how it is forced, and what is said when the addon is missing. */

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { AdamW, backend, isa, isas, Parameter, setBackend, setIsa } from '../../lib/index.ts';
import * as portable from '../../lib/portable.ts';
import { expectError } from '../support/helpers.ts';
import { WASM_ISAS } from '../support/wasm.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'gradstep-'));
afterAll(() => rmSync(temporary, { recursive: true }));

/** Runs a module in a new process; gives what it printed and the code it ended with. */
async function run(script: string, env: Record<string, string> = {}, cwd = root) {
  const args = ['--input-type=module', '--eval', script];
  const options = { cwd, env: { ...process.env, ...env } };
  try {
    return { ...(await promisify(execFile)(process.execPath, args, options)), code: 0 };
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number };
  }
}

const show = `
  import { SGD, Parameter, backend, isa } from 'gradstep';
  const p = new Parameter([1]);
  p.ensureGrad().fill(1);
  new SGD([p], { lr: 0.5 }).step();
  console.log(backend(), isa(), p.data[0]);
`;

describe('in this process', () => {
  it('is native here, on the best instruction set', () => {
    expect(backend()).toBe('native');
    expect(isa()).toBe(isas()[0]);
    expect(isas().at(-1)).toBe('scalar');
  });

  it('can be chosen for optimizers made from now on', () => {
    setBackend('portable');
    expect([backend(), isa(), isas()]).toEqual(['portable', 'portable', ['portable']]);
    expectError(() => setIsa('avx2'), 'ERR_ISA', '(portable)');
    setBackend('native');
    expectError(() => setBackend('gpu' as never), 'ERR_BACKEND', "received 'gpu'");
    expectError(() => setIsa(undefined as never), 'ERR_ISA', 'Expected an instruction set');
    expect(backend()).toBe('native');
  });

  it('shares its classes with gradstep/portable', async () => {
    const all: Record<string, unknown> = await import('../../lib/index.ts');
    for (const [name, value] of Object.entries(portable)) expect(all[name]).toBe(value);
  });
});

describe('in a process of its own', () => {
  it('steps natively, and the same in TypeScript', async () => {
    const native = await run(show);
    expect(native).toMatchObject({ stderr: '', stdout: `native ${isas()[0]} 0.5\n` });
    const forced = await run(show, { GRADSTEP_BACKEND: 'portable' });
    expect(forced).toMatchObject({ stderr: '', stdout: 'portable portable 0.5\n' });
  });

  it.each([...isas()])('is forced to %s by GRADSTEP_ISA', async (name) => {
    expect((await run(show, { GRADSTEP_ISA: name })).stdout).toBe(`native ${name} 0.5\n`);
  });

  it.each([
    ['GRADSTEP_ISA', 'sse9', 'ERR_ISA'],
    ['GRADSTEP_BACKEND', 'gpu', 'ERR_BACKEND'],
  ])('refuses %s=%s', async (variable, value, code) => {
    const { code: exit, stderr } = await run(show, { [variable]: value });
    expect(exit).not.toBe(0);
    expect(stderr).toContain(code);
    expect(stderr).toContain(`'${value}'`);
  });

  it('works through require and in gradstep/portable without Node’s modules', async () => {
    const script = `
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      console.log(require('gradstep').Adam === (await import('gradstep')).Adam);
      console.log((await import('gradstep/portable')).Adam === require('gradstep').Adam);
    `;
    expect((await run(script)).stdout).toBe('true\ntrue\n');
    const { stdout } = await run(
      "import { backend } from 'gradstep/portable'; console.log(backend())",
    );
    expect(stdout).toBe('wasm\n');
  });
});

describe('without the addon', () => {
  // The package as it would be installed, but nothing was built, and no variable names an addon.
  const copy = join(temporary, 'node_modules', 'gradstep');
  for (const part of ['dist', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  const needed = join(temporary, 'node_modules', 'node-gyp-build');
  cpSync(join(root, 'node_modules', 'node-gyp-build'), needed, { recursive: true });

  it('falls back with one warning that says why and how to mend it', async () => {
    const twice = `${show}; await import('gradstep/portable');`;
    const { stdout, stderr } = await run(twice, { GRADSTEP_PREBUILD: '' }, temporary);
    expect(stdout).toBe(`wasm ${WASM_ISAS[0]} 0.5\n`);
    expect(stderr.match(/GradstepWarning/g)).toHaveLength(1);
    expect(stderr).toContain('ERR_NATIVE_UNAVAILABLE');
    expect(stderr).toContain(`No native addon for ${process.platform}-${process.arch}`);
    expect(stderr).toContain("'npx gradstep build'");
    expect(stderr).toContain('wasm backend');
  });

  it('fails with the same words when native is forced, and is silent when portable is', async () => {
    const bare = (name: string) => ({ GRADSTEP_PREBUILD: '', GRADSTEP_BACKEND: name });
    const native = await run(show, bare('native'), temporary);
    expect(native.code).not.toBe(0);
    expect(native.stderr).toContain('ERR_NATIVE_UNAVAILABLE');
    const silent = await run(show, bare('portable'), temporary);
    expect(silent).toMatchObject({ stderr: '', stdout: 'portable portable 0.5\n' });
  });
});

it('bundles gradstep/portable for a browser, with no module of Node', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { AdamW, Parameter } from './lib/portable.ts';
        const p = new Parameter([1]);
        p.ensureGrad().fill(1);
        new AdamW([p], { lr: 0.5, weightDecay: 0 }).step();
        globalThis.result = p.data[0];
      `,
      resolveDir: root,
    },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    minifyWhitespace: true, // drops the comments, which may speak of anything
    write: false,
  });
  const { text } = outputFiles[0]!;
  // Warnings look for threads where there is a process; nothing else asks for Node.js.
  expect(text.match(/node:(?!worker_threads)|createRequire|\bimport\(/)).toBeNull();
  const page: { result?: number } = {};
  // A page has no SharedArrayBuffer unless it is isolated, and an old one no Symbol.dispose.
  new Function('globalThis', 'SharedArrayBuffer', 'process', text)(page, undefined, undefined);
  const p = new Parameter([1]);
  p.ensureGrad().fill(1);
  new AdamW([p], { lr: 0.5, weightDecay: 0 }).step();
  expect(page.result).toBe(p.data[0]);
});
