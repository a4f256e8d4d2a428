/** The whole demo: train on handwritten digits, fine-tune in three ways, draw the loss. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Adam, backend, isa, LinearLR } from 'gradstep';
import { DemoError } from './demo-error.ts';
import { slice, turned } from './digits.ts';
import { fineTune, groupings, MOMENTUM } from './fine-tune.ts';
import { LeNet } from './lenet.ts';
import { lossCurve } from './loss-curve.ts';
import { type Digits, readDigits } from './mnist.ts';
import { help, MOST_DIGITS, type Options, readOptions } from './options.ts';
import { type Output, Progress } from './progress.ts';
import { seeded } from './random.ts';
import { grouped, groupTable, percent } from './report.ts';
import { digest, Saves } from './saves.ts';
import { accuracy, stepCount, train } from './train.ts';

interface DigitSets {
  readonly train: Digits;
  readonly test: Digits;
}

interface Trained {
  readonly net: LeNet;
  readonly losses: readonly number[];
  readonly accuracy: number;
}

/** Runs the demo with these arguments; what the user can mend comes as a `DemoError`. */
export async function runDemo(args: readonly string[], output: Output): Promise<void> {
  const options = readOptions(args);
  if (options.help) {
    output.write(help);
    return;
  }
  const start = performance.now();
  const sets = { train: readDigits('train'), test: readDigits('test') };
  writePicture(options.out, '', 'a'); // appends nothing: better to fail now than at the end
  const instructions = backend() === 'native' ? `native backend, ${isa()}` : 'portable backend';
  print(output, `LeNet on handwritten digits, stepped by gradstep (${instructions})`);

  const trained = await trainNetwork(options, sets, output);
  fineTuneNetwork(trained.net, options, sets, output);
  writePicture(options.out, draw(trained, options), 'w');

  print(
    output,
    `\nFinal accuracy  ${percent(trained.accuracy)}`,
    `Loss curve      ${options.out}`,
    `Weights         SHA-256 ${digest(trained.net)}`,
    `Time            ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
}

async function trainNetwork(options: Options, sets: DigitSets, output: Output): Promise<Trained> {
  const { lr, seed, trainSize, testSize, batchSize } = options;
  const random = seeded(seed);
  const net = new LeNet(random);
  const digits = slice(sets.train, 0, trainSize);
  const total = stepCount(digits, { ...options, random });
  const optimizer = new Adam(net.namedParameters(), { lr });
  const scheduler = new LinearLR(optimizer, { startFactor: 1, endFactor: 0, totalIters: total });
  print(
    output,
    `\n1. Training: ${grouped(net.size)} parameters, ${grouped(trainSize)} digits`,
    `   Adam, lr from ${lr} down to 0, ${batchSize} digits a step\n`,
  );
  const parts = { model: [...net.namedParameters()], optimizer, scheduler };
  const saves = options.resume ? await Saves.open(options, parts, output) : undefined;
  try {
    const losses: number[] = (await saves?.resume()) ?? [];
    const done = losses.length;
    const training = new Progress(output, 'training', total, 10, done);
    for (const loss of train(net, optimizer, digits, { ...options, random, done })) {
      scheduler.step();
      losses.push(loss);
      training.advance(`loss ${latestMean(losses)}`);
      const isLast = losses.length === total;
      if (isLast || losses.length % options.saveEvery === 0) await saves?.save(losses);
    }
    const reached = test(net, sets, testSize, output);
    return { net, losses, accuracy: reached };
  } finally {
    await saves?.close();
  }
}

function test(net: LeNet, sets: DigitSets, testSize: number, output: Output): number {
  const testing = new Progress(output, 'testing ', testSize, 1);
  const reached = accuracy(net, slice(sets.test, 0, testSize), () => testing.advance());
  const unseen = `${grouped(testSize)} digits that it has not seen`;
  print(output, `\n   Accuracy on ${unseen}: ${percent(reached)}`);
  return reached;
}

function fineTuneNetwork(
  trained: LeNet,
  { seed, fineTuneSize }: Options,
  sets: DigitSets,
  output: Output,
): void {
  const from = MOST_DIGITS;
  const digits = turned(slice(sets.train, from, from + fineTuneSize));
  const test = turned(slice(sets.test, 0, fineTuneSize / 2));
  const before = accuracy(trained, test);
  print(
    output,
    '\n2. Fine-tuning on digits that lie on their side, turned a quarter to the left',
    `   The trained network reads ${percent(before)} of them. Each of three ways starts from it`,
    `   and learns from ${grouped(fineTuneSize)} others, by SGD with momentum ${MOMENTUM}.`,
  );

  for (const grouping of groupings) {
    print(output, `\n   ${grouping.title}\n`);
    const net = trained.copy();
    const plan = { epochs: 1, batchSize: 16, random: seeded(seed) };
    const tuning = new Progress(output, 'tuning  ', stepCount(digits, plan), 3);
    const losses: number[] = [];
    const groups = fineTune(net, grouping, digits, plan, (loss) => {
      losses.push(loss);
      tuning.advance(`loss ${latestMean(losses)}`);
    });
    const after = accuracy(net, test);
    print(output, '', ...groupTable(groups).map((line) => `   ${line}`));
    print(output, `\n   Accuracy: ${percent(before)} before, ${percent(after)} after`);
  }
}

function draw({ losses, accuracy: reached }: Trained, options: Options): string {
  const { lr, batchSize, trainSize, epochs, testSize, seed } = options;
  return lossCurve(
    losses,
    `LeNet reads ${percent(reached)} of ${grouped(testSize)} unseen digits`,
    `${grouped(trainSize)} training digits, ${epochs === 1 ? '1 epoch' : `${epochs} epochs`}, ` +
      `${batchSize} a step; Adam, lr from ${lr} down to 0; seed ${seed}`,
  );
}

function writePicture(file: string, picture: string, flag: 'a' | 'w'): void {
  try {
    const folder = dirname(file);
    if (!existsSync(folder)) mkdirSync(folder);
    writeFileSync(file, picture, { flag });
  } catch (error) {
    throw new DemoError(`Cannot write the picture: ${(error as Error).message}.`);
  }
}

/** The mean of the latest losses: one alone says little. */
function latestMean(losses: readonly number[]): string {
  const latest = losses.slice(-50);
  return (latest.reduce((a, b) => a + b) / latest.length).toFixed(4);
}

function print(output: Output, ...lines: readonly string[]): void {
  output.write(`${lines.join('\n')}\n`);
}
