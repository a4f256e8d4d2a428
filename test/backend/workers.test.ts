/** Worker threads: the addon loads in each, steps shared memory, and survives their ends. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../examples/lenet/random.ts';
import { makeJob } from '../../examples/workers/job.ts';
import { run } from '../../examples/workers/run.ts';
import { Adam } from '../../lib/index.ts';
import { bits, parameter } from '../support/helpers.ts';

const entry = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

/** Starts a worker on a script that sees the package as `gradstep`, and its data as `data`. */
function start(script: string, data: unknown = undefined): Worker {
  const code = `
    import { parentPort as port, workerData as data } from 'node:worker_threads';
    const gradstep = await import(${JSON.stringify(`file://${entry}`)});
    ${script}
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  return new Worker(url, { workerData: data });
}

const message = (worker: Worker) =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });

/** Runs a program in a process of its own, in which only workers load the addon. */
async function inNewProcess(script: string): Promise<{ stdout: string; code: number }> {
  const preamble = `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    const start = (script) => {
      const code = 'const gradstep = await import(' + ${JSON.stringify(`"file://${entry}"`)} + ');'
        + 'const { parentPort: port } = await import("node:worker_threads");' + script;
      return new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
    };
    const steps = 'const p = { data: new Float32Array(1e6), grad: new Float32Array(1e6) };'
      + 'const o = new gradstep.Adam([p]); o.step();';
  `;
  const args = ['--input-type=module', '--eval', preamble + script];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 });
    return { stdout, code: 0 };
  } catch (error) {
    return error as { stdout: string; code: number };
  }
}

const endless = `
  const p = { data: new Float32Array(data).fill(1), grad: new Float32Array(data).fill(1) };
  const o = new gradstep.Adam([p]);
  o.step();
  port.postMessage(gradstep.backend());
  for (;;) o.step();
`;

describe('workers', () => {
  it('step memory that they share with the main thread, to the same bits', async () => {
    const expected = parameter(1000);
    const o = new Adam([expected]);
    for (let t = 0; t < 10; t++) o.step();
    const { data, grad } = parameter(1000);
    const [sharedData, sharedGrad] = [data, grad!].map((array) => {
      const shared = new Float32Array(new SharedArrayBuffer(array.byteLength));
      shared.set(array);
      return shared;
    });
    const worker = start(
      `const o = new gradstep.Adam([data]);
       for (let t = 0; t < 10; t++) o.step();
       port.postMessage(gradstep.backend());`,
      { data: sharedData, grad: sharedGrad },
    );
    expect(await message(worker)).toBe('native');
    await worker.terminate();
    expect(bits(sharedData!)).toEqual(bits(expected.data));
  });

  it('may be terminated in mid-step: a hundred of them, ten at a time, at any size', async () => {
    const one = async (_: unknown, i: number) => {
      const worker = start(endless, [1, 1000, 1_000_000][i % 3]);
      expect(await message(worker)).toBe('native');
      await worker.terminate();
    };
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 10 }, one));
    const p = parameter();
    new Adam([p]).step();
    expect(p.data[0]).toBeCloseTo(0.999, 6);
  });

  it('may load the addon alone, end, and load it again', async () => {
    const outcome = await inNewProcess(`
      for (let i = 0; i < 5; i++) {
        const worker = start(steps + 'port.postMessage(gradstep.backend())');
        console.log((await once(worker, 'message'))[0]);
        await once(worker, 'exit');
      }
    `);
    expect(outcome).toEqual({ stdout: 'native\n'.repeat(5), code: 0 });
  });

  it('may be in mid-step when the process exits', async () => {
    for (let i = 0; i < 3; i++) {
      const outcome = await inNewProcess(`
        const worker = start(steps + 'port.postMessage(1); for (;;) o.step();');
        await once(worker, 'message');
        console.log('exit');
        process.exit(${i});
      `);
      expect(outcome).toMatchObject({ stdout: 'exit\n', code: i });
    }
  });

  it('see their own optimizers only', async () => {
    const worker = start(`
      const p = new gradstep.Parameter([1]);
      try { new gradstep.SGD([p], { lr: -1 }); } catch (error) {
        port.postMessage([error instanceof gradstep.GradstepError, error.code]);
      }
    `);
    expect(await message(worker)).toEqual([true, 'ERR_INVALID_OPTION']);
    await worker.terminate();
  });
});

describe('examples/workers', () => {
  it('trains data-parallel on one arena to the same bits with 1, 2 and 3 threads', async () => {
    const random = seeded(5);
    const digits = {
      pixels: Uint8Array.from({ length: 64 * 28 * 28 }, () => random() * 256),
      labels: Uint8Array.from({ length: 64 }, () => random() * 10),
    };
    const worker = new URL('../../examples/dist/workers/worker.js', import.meta.url);
    const results = [];
    for (const threads of [1, 2, 3]) {
      const numbers = { threads, steps: 4, batchSize: 16, lr: 1e-3, seed: 3 };
      results.push(await run(makeJob(numbers, digits), worker));
    }
    const [one, two, three] = results;
    expect(two!.digest).toBe(one!.digest);
    expect(three!.digest).toBe(one!.digest);
    expect(two!.losses).toEqual(one!.losses);
    expect(new Set(one!.losses).size).toBe(4); // it moves
  });
});
