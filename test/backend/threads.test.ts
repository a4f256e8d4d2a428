/** Threads and environments: one pool for all of them, whoever comes and goes; and its size. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usableCores } from '../../lib/backend/cores.ts';
import {
  AdamW,
  getNumThreads,
  type Parameter,
  ParameterArena,
  setBackend,
  setNumThreads,
} from '../../lib/index.ts';
import { bits, expectError } from '../support/helpers.ts';

const entry = new URL('../../dist/index.js', import.meta.url).href;
const root = fileURLToPath(new URL('../..', import.meta.url));

const LENGTH = 100_000; // two of them are worth waking helpers
const STEPS = 12;

/** Parameters in shared memory, always of the same values. */
function arena(): ParameterArena {
  const made = new ParameterArena([[LENGTH], [7], [LENGTH]]);
  made.parameters.forEach((p, k) => {
    p.data.set(Float32Array.from(p.data, (_, i) => Math.fround(Math.sin(i * 7 + k))));
    p.grad!.set(Float32Array.from(p.data, (_, i) => Math.fround(Math.cos(i * 3 + k))));
  });
  return made;
}

function steps(parameters: readonly Parameter[], count = STEPS): void {
  const o = new AdamW(parameters, { lr: 0.01, maxGradNorm: 1 });
  for (let i = 0; i < count; i++) o.step();
  o.dispose();
}

/** A worker that makes an optimizer over these parameters, says so, and waits for a message. */
function start(parameters: readonly Parameter[], script: string): Worker {
  const code = `
    import { once } from 'node:events';
    import { parentPort as port, workerData } from 'node:worker_threads';
    const { AdamW, getNumThreads, setNumThreads } = await import(${JSON.stringify(entry)});
    const o = new AdamW(workerData, { lr: 0.01, maxGradNorm: 1 });
    const begun = once(port, 'message');
    port.postMessage(getNumThreads());
    await begun;
    ${script}
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const workerData = parameters.map(({ data, grad }) => ({ data, grad }));
  return new Worker(url, { workerData });
}

const before = getNumThreads();
beforeAll(() => setNumThreads(3));
afterAll(() => setNumThreads(before));

describe('environments', () => {
  it('that step at once get the same bits', async () => {
    const expected = arena();
    steps(expected.parameters);
    const arenas = Array.from({ length: 4 }, arena);
    const script = `
      for (let i = 0; i < ${STEPS}; i++) i % 3 === 2 ? await o.stepAsync() : o.step();`;
    const workers = arenas.map(({ parameters }) => start(parameters, script));
    const ready = await Promise.all(workers.map((worker) => once(worker, 'message')));
    expect(ready).toEqual([[3], [3], [3], [3]]);
    const ended = Promise.all(workers.map((worker) => once(worker, 'exit')));
    for (const worker of workers) worker.postMessage('begin');
    const here = arena();
    steps(here.parameters); // and this thread with them
    await ended;
    for (const { data } of [...arenas, here]) expect(bits(data)).toEqual(bits(expected.data));
  });

  it('may end in the middle of their steps while others go on', async () => {
    const expected = arena();
    steps(expected.parameters, 60);
    const short = start(arena().parameters, 'for (;;) o.step();');
    const long = arena();
    const worker = start(long.parameters, 'for (let i = 0; i < 60; i++) o.step();');
    await Promise.all([short, worker].map((one) => once(one, 'message')));
    const ended = once(worker, 'exit');
    for (const one of [short, worker]) one.postMessage('begin');
    await short.terminate();
    const here = arena();
    steps(here.parameters, 60);
    expect(await ended).toEqual([0]);
    expect(bits(long.data)).toEqual(bits(expected.data));
    expect(bits(here.data)).toEqual(bits(expected.data));
  });

  it('share the number of threads', async () => {
    const worker = start(arena().parameters, 'setNumThreads(5);');
    await once(worker, 'message');
    const ended = once(worker, 'exit');
    worker.postMessage('begin');
    await ended;
    expect(getNumThreads()).toBe(5);
    setNumThreads(3);
  });
});

/** Runs a module in a process of its own; gives what it printed. */
async function run(script: string, env: Record<string, string> = {}) {
  const args = ['--input-type=module', '--eval', script];
  const options = { cwd: root, env: { ...process.env, ...env }, timeout: 50_000 };
  try {
    return { ...(await promisify(execFile)(process.execPath, args, options)), code: 0 };
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number };
  }
}

describe('a process of its own', () => {
  it.runIf(process.platform === 'linux')(
    'has helpers from its first large step on, until its last environment ends',
    async () => {
      // Only workers load the addon here: with each of them the pool starts and ends.
      const script = `
        import { once } from 'node:events';
        import { readdirSync } from 'node:fs';
        import { Worker } from 'node:worker_threads';
        const threads = () => readdirSync('/proc/self/task').length;
        const code = \`
          import { readdirSync } from 'node:fs';
          import { parentPort as port } from 'node:worker_threads';
          const { SGD } = await import(${JSON.stringify(entry)});
          const threads = () => readdirSync('/proc/self/task').length;
          const make = (n) => ({ data: new Float32Array(n), grad: new Float32Array(n).fill(1) });
          const [small, large] = [make(100), make(1_000_000)];
          new SGD([small], { lr: 1 }).step();
          const before = threads();
          for (let i = 0; i < 5; i++) new SGD([large], { lr: 1 }).step();
          port.postMessage([threads() - before, large.data[0], large.data[999_999]]);
        \`;
        for (let i = 0; i < 4; i++) {
          const before = threads();
          const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
          const ended = once(worker, 'exit');
          const [said] = await once(worker, 'message');
          await ended;
          for (let j = 0; j < 500 && threads() > before; j++) {
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          console.log(...said, i === 0 || threads() <= before);
        }`;
      const { stdout, code } = await run(script, { GRADSTEP_NUM_THREADS: '4' });
      expect({ stdout, code }).toEqual({ stdout: '3 -5 -5 true\n'.repeat(4), code: 0 });
    },
  );

  it('ends while helpers are awake or a step is under way', async () => {
    const script = (end: string) => `
      import { ParameterArena, SGD } from ${JSON.stringify(entry)};
      const { parameters } = new ParameterArena([[3_000_000]]);
      const o = new SGD(parameters, { lr: 1 });
      o.step();
      o.stepAsync();
      ${end}`;
    for (const [end, code] of [
      ['', 0],
      ['process.exit(7)', 7],
      ['process.exitCode = 3', 3],
    ] as const) {
      expect(await run(script(end), { GRADSTEP_NUM_THREADS: '4' })).toMatchObject({ code });
    }
  });

  const print = `import { getNumThreads } from ${JSON.stringify(entry)}; console.log(getNumThreads())`;

  it.each(['1', '7', '256'])('takes GRADSTEP_NUM_THREADS=%s', async (value) => {
    expect((await run(print, { GRADSTEP_NUM_THREADS: value })).stdout).toBe(`${value}\n`);
  });

  it('uses its cores where nothing is said', async () => {
    const { stdout } = await run(print, { GRADSTEP_NUM_THREADS: '' });
    expect(stdout).toBe(`${usableCores()}\n`);
  });

  it.each(['0', '-2', '1.5', '257', 'many', ' '])(
    'refuses GRADSTEP_NUM_THREADS=%s',
    async (value) => {
      const { code, stderr } = await run(print, { GRADSTEP_NUM_THREADS: value });
      expect(code).not.toBe(0);
      expect(stderr).toContain('ERR_INVALID_ARGUMENT');
      expect(stderr).toContain(`GRADSTEP_NUM_THREADS to be a number from 1 to 256`);
      expect(stderr).toContain(`received '${value}'`);
    },
  );

  it('has one thread on the portable backend, whatever is said', async () => {
    const env = { GRADSTEP_BACKEND: 'portable', GRADSTEP_NUM_THREADS: '5' };
    expect((await run(print, env)).stdout).toBe('1\n');
  });
});

it('the portable backend has one thread, and leaves the number of the native one alone', () => {
  setBackend('portable');
  try {
    setNumThreads(9);
    expect(getNumThreads()).toBe(1);
    expectError(() => setNumThreads(0), 'ERR_INVALID_ARGUMENT', 'from 1 to 256');
  } finally {
    setBackend('native');
  }
  expect(getNumThreads()).toBe(3);
});
