/** `npm run demo -- --resume`: killed and started again, it ends as if it had never been killed. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runDemo } from '../../examples/lenet/demo.ts';
import { DemoError } from '../../examples/lenet/demo-error.ts';

const demo = new URL('../../examples/dist/lenet/demo.js', import.meta.url).href; // `npm test` built it
const folder = mkdtempSync(join(tmpdir(), 'lenet-resume-'));
afterAll(() => rmSync(folder, { recursive: true }));

const argsFor = (name: string) => [
  ...['--quick', '--train-size', '160', '--epochs', '2', '--save-every', '7', '--resume'],
  ...['--out', join(folder, `${name}.svg`), '--checkpoints', join(folder, name)],
];

/** Runs the demo in a process, which kills itself by the first line after its first save. */
function runKilled(name: string) {
  const program = `
    import { readdirSync } from 'node:fs';
    import { runDemo } from ${JSON.stringify(demo)};
    const folder = ${JSON.stringify(join(folder, name))};
    await runDemo(${JSON.stringify(argsFor(name))}, {
      write(text) {
        const isSaved = /training/.test(text) && readdirSync(folder).some((f) => f.startsWith('step-'));
        if (isSaved) process.kill(process.pid, 'SIGKILL');
      },
    });
  `;
  const args = ['--input-type=module', '-e', program];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

async function run(name: string, ...others: string[]): Promise<string> {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  await runDemo([...argsFor(name), ...others], { write });
  return text;
}

it('ends with the same weights and the same curve', async () => {
  const { signal, stderr } = runKilled('killed');
  expect([signal, stderr]).toEqual(['SIGKILL', '']);
  const steps = () => readdirSync(join(folder, 'killed')).filter((f) => f.startsWith('step-'));
  expect(steps()).toEqual(['step-000000007.safetensors']);
  const resumed = await run('killed');
  expect(resumed).toContain('Goes on from step 7');
  const whole = await run('whole');
  expect(whole).not.toContain('Goes on');
  const digest = (text: string) => /SHA-256 ([0-9a-f]{16})/.exec(text)![1];
  expect(digest(resumed)).toBe(digest(whole));
  const last = (name: string) => readFileSync(join(folder, name, 'step-000000020.safetensors'));
  expect(last('killed').equals(last('whole'))).toBe(true); // optimizer, scheduler, losses too
  const picture = (name: string) => readFileSync(join(folder, `${name}.svg`), 'utf8');
  expect(picture('killed')).toBe(picture('whole'));
  // Once more: nothing is left to train.
  const again = await run('whole');
  expect(again).toContain('Goes on from step 20');
  expect(digest(again)).toBe(digest(whole));
  // Other options are another run.
  const other = run('whole', '--seed', '5');
  await expect(other).rejects.toBeInstanceOf(DemoError);
  await expect(other).rejects.toThrow(
    'are of another run: epochs 2, batchSize 16, lr 0.002, seed 1',
  );
}, 120_000);
