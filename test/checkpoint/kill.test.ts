/**
 * Processes that save in a loop are killed at random moments: the newest checkpoint is intact each
 * time, nothing that was said to be saved is lost, and the run that goes on from there ends as one
 * that was never killed. `GRADSTEP_KILLS=200` for a long run.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as gradstep from '../../lib/index.ts';
import { makeRun, snapshot, train } from './run.mjs';

const KILLS = Number(process.env.GRADSTEP_KILLS || 12);
const entry = new URL('../../dist/index.js', import.meta.url).href; // `npm test` has built it
const writer = fileURLToPath(new URL('./writer.mjs', import.meta.url));

/** Runs the writer until it has said so many steps and a moment more; the last step it has said. */
function killAfter(folder: string, said: number, moment: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [writer, entry, folder, '1000000']);
    let last = 0;
    let lines = 0;
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.stdout.on('data', (chunk) => {
      const steps = String(chunk).trim().split('\n');
      last = Number(steps.at(-1));
      lines += steps.length;
      if (lines >= said) setTimeout(() => child.kill('SIGKILL'), moment);
    });
    child.on('exit', (_, signal) => {
      if (signal === 'SIGKILL') resolve(last);
      else reject(new Error(`The writer ended by itself: ${errors}`));
    });
  });
}

it(`${KILLS} kills lose nothing`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpoint-kill-'));
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const said = await killAfter(folder, 1 + (kill % 3), (kill * 7) % 23);
      const reader = await gradstep.CheckpointDirectory.open(folder, { readOnly: true });
      const checkpoint = await reader.latest();
      expect(checkpoint!.skipped).toEqual([]); // not even a torn one
      expect(checkpoint!.step).toBeGreaterThanOrEqual(said);
    }
    const runs = await gradstep.CheckpointDirectory.open(folder);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const checkpoint = await runs.latest();
    const resumed = makeRun(gradstep);
    checkpoint!.restore(resumed.parts);
    const whole = makeRun(gradstep);
    for (let step = 1; step <= checkpoint!.step + 5; step++) {
      train(whole, step);
      if (step > checkpoint!.step) train(resumed, step);
    }
    expect(snapshot(resumed) === snapshot(whole)).toBe(true);
    await runs.close();
    console.log(`${KILLS} kills, ${checkpoint!.step} steps`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 600_000);
