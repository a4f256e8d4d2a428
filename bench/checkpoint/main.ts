/**
 * `npm run bench:checkpoint`: saves and loads a run, in turn with `dd … conv=fsync` on the same disk.
 * Prints speeds, memory beyond what the run itself has, and how long the event loop was blocked.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AdamW, CheckpointDirectory, ParameterArena } from 'gradstep';
import { dd, type Measured, MIB, median, observe } from './observe.ts';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    tensors: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: '.' },
  },
});
const [mib, tensors, rounds] = [values.mib, values.tensors, values.rounds].map(Number) as [
  number,
  number,
  number,
];

/** A run whose model and AdamW's two arrays are so many MiB together. */
function makeRun() {
  const size = Math.round((mib * MIB) / 4 / tensors);
  const count = Math.round(tensors / 3);
  const model = new ParameterArena(
    Object.fromEntries(Array.from({ length: count }, (_, k) => [`layers.${k}.weight`, [size]])),
  );
  model.data.forEach((_, i) => {
    model.data[i] = (i % 1000) / 1000;
  });
  model.grad.fill(0.5);
  const optimizer = new AdamW(model.namedParameters(), { lr: 0.01 });
  optimizer.step();
  return { model, optimizer };
}

const speed = (bytes: number, ms: number) => (bytes / 1e6 / (ms / 1e3)).toFixed(0).padStart(6);

function report(what: string, bytes: number, measured: readonly Measured[]): number {
  const ms = median(measured.map((one) => one.ms));
  const blocks = measured.map((one) => one.longestBlock.toFixed(0)).join(', ');
  const memory = Math.max(...measured.map((one) => one.peak)) / bytes;
  console.log(
    `${what}  ${speed(bytes, ms)} MB/s   longest blocks ${blocks} ms   ` +
      `peak extra memory ${memory.toFixed(2)} × the snapshot`,
  );
  return ms;
}

async function main() {
  const folder = mkdtempSync(join(resolve(values.folder), '.bench-checkpoint-'));
  try {
    const run = makeRun();
    const runs = await CheckpointDirectory.open(join(folder, 'runs'), { keep: 1 });
    const [saves, loads, disks, snapshots]: [Measured[], Measured[], number[], number[]] = [
      [],
      [],
      [],
      [],
    ];
    const idle = await observe(() => new Promise((done) => setTimeout(done, 1000)));
    let bytes = 0;
    for (let step = 1; step <= rounds; step++) {
      disks.push(dd(join(folder, 'dd'), mib));
      const save = await observe(() => runs.save({ step, ...run }));
      snapshots.push(save.result.snapshotMs);
      bytes = save.result.size;
      saves.push(save);
      loads.push(await observe(async () => void (await runs.latest())));
    }
    await runs.close();
    console.log(
      `${(bytes / MIB).toFixed(0)} MiB in ${tensors} tensors, medians of ${rounds}; load average ` +
        `${loadavg()
          .map((n) => n.toFixed(1))
          .join(' ')}; longest block of an idle second ` +
        `${idle.longestBlock.toFixed(0)} ms`,
    );
    const disk = median(disks);
    console.log(`dd    ${speed(bytes, disk)} MB/s   with conv=fsync`);
    const saving = report('save', bytes, saves);
    console.log(
      `      ${(disk / saving).toFixed(2)} of dd; the snapshot, not counted as a block, ` +
        `${snapshots.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    );
    report('load', bytes, loads);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
