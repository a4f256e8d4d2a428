/** The command line of the demo. */

import { parse, positive, whole } from '../lenet/options.ts';

export interface Options {
  readonly help: boolean;
  /** Factor of the learning rate from a layer to the one before it. */
  readonly layerDecay: number;
  /** Decay of the moving average. */
  readonly emaDecay: number;
  readonly seed: number;
  /** Upright digits that the network learns first. */
  readonly trainSize: number;
  /** Turned digits that it is fine-tuned on. */
  readonly tuneSize: number;
  readonly testSize: number;
}

const standard = { trainSize: 4_000, tuneSize: 3_000, testSize: 2_000 };
const quick = { trainSize: 640, tuneSize: 400, testSize: 200 };

export const help = `Fine-tunes a LeNet: groups by layer, biases without decay, a moving average.

Usage: npm run demo:finetune -- [options]

  --layer-decay <x>   factor of lr from a layer to the one before it (default 0.75)
  --ema <x>           decay of the moving average (default 0.99)
  --seed <n>          of the random numbers; the same seed gives the same run (default 1)
  --quick             a run of a few seconds, on few digits
  --help              this text
`;

const known = {
  'layer-decay': { type: 'string', default: '0.75' },
  ema: { type: 'string', default: '0.99' },
  seed: { type: 'string', default: '1' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Reads the arguments after the program's name. */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args, known);
  return {
    help: values.help,
    layerDecay: positive('layer-decay', values['layer-decay']),
    emaDecay: positive('ema', values.ema),
    seed: whole('seed', values.seed, 0, 2 ** 32 - 1),
    ...(values.quick ? quick : standard),
  };
}
