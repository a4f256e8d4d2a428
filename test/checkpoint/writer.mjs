// Trains and saves until it is killed. Arguments: the built package, the folder, the last step.
import { makeRun, train } from './run.mjs';

const [entry, folder, last] = process.argv.slice(2);
const gradstep = await import(entry);
const run = makeRun(gradstep);
const runs = await gradstep.CheckpointDirectory.open(folder, { keep: 3 });
const checkpoint = await runs.latest();
checkpoint?.restore(run.parts);
for (let step = checkpoint?.step ?? 0; step < Number(last); ) {
  step += 1;
  train(run, step);
  await runs.save({ step, ...run.parts });
  process.stdout.write(`${step}\n`);
}
await runs.close();
