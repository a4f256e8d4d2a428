/** Worker threads: the addon loads in each, steps shared memory, and survives their ends. */

import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Adam } from '../lib/index.ts';
import { bits, parameter } from './helpers.ts';

const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url));

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

  it('may be terminated in mid-step, many times, at any size', async () => {
    for (let round = 0; round < 12; round++) {
      const worker = start(endless, [1, 1000, 1_000_000][round % 3]);
      expect(await message(worker)).toBe('native');
      await worker.terminate();
    }
    const p = parameter();
    new Adam([p]).step();
    expect(p.data[0]).toBeCloseTo(0.999, 6);
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
