/** The whole demo: a network that knows upright digits learns to read those on their side. */

import { Adam, type AdamW, backend, isa } from 'gradstep';
import { slice, turned } from '../lenet/digits.ts';
import { LeNet } from '../lenet/lenet.ts';
import { type Digits, readDigits } from '../lenet/mnist.ts';
import { MOST_DIGITS } from '../lenet/options.ts';
import { type Output, Progress } from '../lenet/progress.ts';
import { seeded } from '../lenet/random.ts';
import { grouped, percent, rate, table } from '../lenet/report.ts';
import { accuracy, stepCount, train } from '../lenet/train.ts';
import { help, type Options, readOptions } from './options.ts';
import { BATCH_SIZE, compare, LR, makeRecipe, type Recipe, tune } from './recipe.ts';

const ROWS = 8;
const PRETRAINING_LR = 2e-3;

/** Runs the demo with these arguments; what the user can mend comes as a `DemoError`. */
export function runFinetune(args: readonly string[], output: Output): void {
  const options = readOptions(args);
  if (options.help) {
    output.write(help);
    return;
  }
  const start = performance.now();
  const instructions = backend() === 'native' ? `native backend, ${isa()}` : 'portable backend';
  print(output, `Fine-tuning a LeNet, stepped by gradstep (${instructions})`);

  const all = { train: readDigits('train'), test: readDigits('test') };
  const net = pretrain(slice(all.train, 0, options.trainSize), options, output);
  const test = slice(all.test, 0, options.testSize);
  const side = turned(test);
  const before = accuracy(net, side);
  print(
    output,
    `\n   It reads ${percent(accuracy(net, test))} of ${grouped(options.testSize)} upright digits,`,
    `   but ${percent(before)} of the same digits turned a quarter to the left.`,
  );

  const recipe = makeRecipe(net, options.layerDecay, options.emaDecay);
  showGroups(recipe.optimizer, options, output);
  const digits = turned(slice(all.train, MOST_DIGITS, MOST_DIGITS + options.tuneSize));
  fineTune(net, recipe, { digits, test: slice(side, 0, options.testSize / 4) }, options, output);

  const { own, averaged } = compare(net, recipe.ema, side);
  print(
    output,
    `\n4. Reading ${grouped(options.testSize)} turned digits that it has not seen\n`,
    ...indented(
      table(
        [
          ['before fine-tuning', percent(before)],
          ['after it', percent(own)],
          ['after it, averaged', percent(averaged)],
        ],
        [0],
      ),
    ),
    `\nTime  ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
}

function pretrain(digits: Digits, { seed }: Options, output: Output): LeNet {
  const random = seeded(seed);
  const net = new LeNet(random);
  const optimizer = new Adam(net.namedParameters());
  const lrAt = (share: number) => PRETRAINING_LR * (1 - share);
  const plan = { epochs: 1, batchSize: 16, random, lrAt };
  const size = `${grouped(net.size)} parameters, ${grouped(digits.labels.length)} digits`;
  print(output, `\n1. A network that knows upright digits: ${size}\n`);
  const progress = new Progress(output, 'training', stepCount(digits, plan), 5);
  for (const loss of train(net, optimizer, digits, plan)) {
    progress.advance(`loss ${loss.toFixed(4)}`);
  }
  return net;
}

function showGroups(optimizer: AdamW, { layerDecay }: Options, output: Output): void {
  const rows = optimizer.paramGroups.map((group) => [
    group.name!,
    rate(group.lr),
    String(group.weightDecay),
    grouped(group.params.reduce((total, { data }) => total + data.length, 0)),
    group.paramNames!.join(', '),
  ]);
  print(
    output,
    `\n2. Its groups: noDecay(layerDecay(net.namedParameters(), ${layerDecay}, { lr: ${LR} }))\n`,
    ...indented(table([['group', 'lr', 'decay', 'values', 'parameters'], ...rows], [0, 1, 2, 4])),
  );
}

/** Shows now and then how well the network reads with its own parameters and with averages. */
function fineTune(
  net: LeNet,
  recipe: Recipe,
  { digits, test }: { readonly digits: Digits; readonly test: Digits },
  { seed, emaDecay }: Options,
  output: Output,
): void {
  print(
    output,
    `\n3. Fine-tuning on ${grouped(digits.labels.length)} turned digits, ${BATCH_SIZE} a step, ` +
      'at constant lr',
    `   Every step updates an EMA (decay up to ${emaDecay}); each row swaps it in and out.\n`,
    '    step     loss   parameters   averages',
  );
  for (const { step, loss } of tune(net, recipe, digits, seeded(seed), ROWS)) {
    const { own, averaged } = compare(net, recipe.ema, test);
    const cells = [String(step).padStart(8), loss.toFixed(4).padStart(9)];
    print(output, [...cells, percent(own).padStart(13), percent(averaged).padStart(11)].join(''));
  }
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `   ${line}`);
}

function print(output: Output, ...lines: readonly string[]): void {
  output.write(`${lines.join('\n')}\n`);
}
