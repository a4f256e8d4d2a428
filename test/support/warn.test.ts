/** Warnings carry codes, and each is given once a process, whichever thread is the first. */

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const native = `file://${root}dist/index.js`;

/** A scheduler that steps before its optimizer. */
const misuse = `
  const optimizer = new gradstep.SGD([new gradstep.Parameter([1])]);
  new gradstep.ExponentialLR(optimizer, { gamma: 0.5 }).step();
`;

/** What a process of its own prints to standard error. */
async function warningsOf(script: string): Promise<string[]> {
  const preamble = `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    const work = (entry, script) => new Promise((resolve, reject) => {
      const code = 'const gradstep = await import(' + JSON.stringify(entry) + ');' + script;
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
      worker.once('error', reject).once('exit', resolve);
    });
    const misuse = ${JSON.stringify(misuse)};
  `;
  const args = ['--input-type=module', '--eval', preamble + script];
  const { GRADSTEP_PREBUILD, ...env } = process.env; // which would help where there is no addon
  const options = { timeout: 50_000, env };
  const { stderr } = await promisify(execFile)(process.execPath, args, options);
  return stderr.split('\n').filter((line) => line.includes('GradstepWarning'));
}

describe('a warning in Node.js', () => {
  it('has a code, and is given once in a thread', async () => {
    const script = `const gradstep = await import(${JSON.stringify(native)}); ${misuse}`;
    const [line, ...others] = await warningsOf(`${script} { ${misuse} }`);
    expect(line).toMatch(/\[WARN_SCHEDULER_ORDER\] GradstepWarning: Detected call of/);
    expect(others).toEqual([]);
  });

  it('is given once by threads that know nothing of each other', async () => {
    const together = `
      const { parentPort: port } = await import('node:worker_threads');
      port.postMessage('loaded');
      await new Promise((go) => port.once('message', go));
      ${misuse}
      port.once('message', () => port.close());
      port.postMessage('done');
    `;
    const script = `
      const code = ${JSON.stringify(`const gradstep = await import('${native}'); ${together}`)};
      const url = new URL('data:text/javascript,' + encodeURIComponent(code));
      const workers = [1, 2, 3].map(() => new Worker(url));
      const all = () => Promise.all(workers.map((worker) => once(worker, 'message')));
      for (let i = 0; i < 2; i++) {
        await all();
        for (const worker of workers) worker.postMessage('go on');
      }
    `;
    expect(await warningsOf(script)).toHaveLength(1);
  });

  it('is given once by a thread and those that it starts, without the addon too', async () => {
    const entry = JSON.stringify(native.replace('index.js', 'portable.js'));
    const first = `const gradstep = await import(${entry});`;
    const script = `${first} await Promise.all([1, 2, 3].map(() => work(${entry}, misuse)));`;
    expect(await warningsOf(`${script} ${misuse}`)).toHaveLength(1);
  });
});

describe('the warning that there is no addon', () => {
  let folder: string;
  beforeAll(() => {
    // The package as an installation without an addon has it.
    folder = mkdtempSync(join(tmpdir(), 'gradstep-warn-'));
    for (const name of ['dist', 'package.json']) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is given once', async () => {
    const entry = JSON.stringify(`file://${folder}/dist/index.js`);
    const script = `await import(${entry}); await Promise.all([1, 2].map(() => work(${entry}, '')));`;
    const [line, ...others] = await warningsOf(script);
    expect(line).toMatch(/\[ERR_NATIVE_UNAVAILABLE\] GradstepWarning: No native addon for/);
    expect(others).toEqual([]);
  });
});

describe('a warning where there is no Node.js', () => {
  it('is given on the console, once', async () => {
    const shown = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { nextTick } = process;
    vi.stubGlobal('process', { nextTick }); // as bundlers have it; the runner needs this much
    try {
      vi.resetModules();
      const { warn } = await import('../../lib/support/warn.ts');
      warn('WARN_SCHEDULER_ORDER', 'Detected call');
      vi.stubGlobal('process', undefined);
      warn('WARN_SCHEDULER_ORDER', 'Detected call');
      warn('ERR_NATIVE_UNAVAILABLE', 'No native addon');
      expect(shown.mock.calls).toEqual([
        ['[WARN_SCHEDULER_ORDER] GradstepWarning: Detected call'],
        ['[ERR_NATIVE_UNAVAILABLE] GradstepWarning: No native addon'],
      ]);
    } finally {
      vi.unstubAllGlobals();
      vi.restoreAllMocks();
    }
  });
});
