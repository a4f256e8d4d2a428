/** The command line of the demo. */

import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { DemoError } from './demo-error.ts';

export interface Options {
  readonly help: boolean;
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: number;
  readonly trainSize: number;
  readonly testSize: number;
  readonly fineTuneSize: number;
  /** Where the picture of the loss goes. */
  readonly out: string;
  /** Saves checkpoints, and goes on from the newest. */
  readonly resume: boolean;
  /** The folder of checkpoints. */
  readonly checkpoints: string;
  /** Steps between two checkpoints. */
  readonly saveEvery: number;
}

/** Fine-tuning takes its digits from behind these. */
export const MOST_DIGITS = 56_000;

const standard = { trainSize: 12_000, testSize: 10_000, fineTuneSize: 2_000 };
const quick = { trainSize: 1_200, testSize: 500, fineTuneSize: 300 };

export const help = `Trains a LeNet on handwritten digits, then fine-tunes it in three ways.

Usage: npm run demo -- [options]

  --epochs <n>        times that training goes through its digits (default 1)
  --batch-size <n>    digits for each step of training (default 16)
  --lr <x>            Adam's learning rate at the start of training (default 0.002)
  --seed <n>          of the random numbers; the same seed gives the same run (default 1)
  --train-size <n>    digits to train on, up to ${MOST_DIGITS} (default ${standard.trainSize})
  --out <file>        the picture of the loss (default examples/lenet/out/loss.svg)
  --resume            save checkpoints, and go on from the newest there is
  --checkpoints <dir> where they go (default examples/lenet/out/checkpoints)
  --save-every <n>    steps between two (default 100)
  --quick             a run of a few seconds, on few digits
  --help              this text
`;

/** Reads the arguments after the program's name. */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args, known);
  const sizes = values.quick ? quick : standard;
  const trainSize = values['train-size'];
  return {
    help: values.help,
    epochs: whole('epochs', values.epochs, 1, 1_000),
    batchSize: whole('batch-size', values['batch-size'], 1, 1_024),
    lr: positive('lr', values.lr),
    seed: whole('seed', values.seed, 0, 2 ** 32 - 1),
    ...sizes,
    ...(trainSize !== undefined && {
      trainSize: whole('train-size', trainSize, 1, MOST_DIGITS),
    }),
    out: values.out ?? defaultOut('loss.svg'),
    resume: values.resume,
    checkpoints: values.checkpoints ?? defaultOut('checkpoints'),
    saveEvery: whole('save-every', values['save-every'], 1, 1_000_000),
  };
}

const known = {
  epochs: { type: 'string', default: '1' },
  'batch-size': { type: 'string', default: '16' },
  lr: { type: 'string', default: '0.002' },
  seed: { type: 'string', default: '1' },
  'train-size': { type: 'string' },
  out: { type: 'string' },
  resume: { type: 'boolean', default: false },
  checkpoints: { type: 'string' },
  'save-every': { type: 'string', default: '100' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** The values of the options; a wrong command line is a `DemoError`. */
export function parse<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    // Node explains at length; its first sentence says it all.
    const [sentence] = (error as Error).message.split(/\.(?:\s|$)/);
    throw new DemoError(`${sentence}. --help lists the options.`, 2);
  }
}

/** A whole number within bounds. */
export function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw wrong(option, `a whole number from ${least} to ${most}`, text);
}

/** A number above 0, up to 1. */
export function positive(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw wrong(option, 'a number above 0, up to 1,', text);
}

function wrong(option: string, expected: string, text: string): DemoError {
  return new DemoError(`Expected ${expected} for --${option} but received '${text}'.`, 2);
}

/** Beside the sources, wherever the demo is started from. */
function defaultOut(name: string): string {
  const root = dirname(createRequire(import.meta.url).resolve('gradstep/package.json'));
  return relative('', join(root, 'examples', 'lenet', 'out', name));
}
