/** The demo of examples/finetune: its recipe, its command line, what it prints. */

import { describe, expect, it } from 'vitest';
import { runFinetune } from '../../examples/finetune/demo.ts';
import { help, readOptions } from '../../examples/finetune/options.ts';
import { BATCH_SIZE, compare, LR, makeRecipe, tune } from '../../examples/finetune/recipe.ts';
import { DemoError } from '../../examples/lenet/demo-error.ts';
import { slice } from '../../examples/lenet/digits.ts';
import { LeNet } from '../../examples/lenet/lenet.ts';
import { readDigits } from '../../examples/lenet/mnist.ts';
import { seeded } from '../../examples/lenet/random.ts';
import { accuracy } from '../../examples/lenet/train.ts';
import { bits } from '../support/helpers.ts';

describe('the recipe', () => {
  const digits = slice(readDigits('train'), 0, 64);

  it('has a group for the weights and one for the bias of each layer', () => {
    const net = new LeNet(seeded(1));
    const { optimizer } = makeRecipe(net, 0.5, 0.9);
    const groups = optimizer.paramGroups.map(({ lr, weightDecay, paramNames }) => [
      lr / LR,
      weightDecay,
      ...paramNames!,
    ]);
    expect(groups).toHaveLength(10);
    expect(groups[0]).toEqual([1 / 16, 0.05, 'features.0.weight']);
    expect(groups[9]).toEqual([1, 0, 'classifier.4.bias']);
  });

  it('averages after every step, and leaves the network as it trained', () => {
    const run = (looks: number) => {
      const net = new LeNet(seeded(1));
      const recipe = makeRecipe(net, 0.75, 0.9);
      const rows = [];
      for (const row of tune(net, recipe, digits, seeded(2), 4)) {
        rows.push(row);
        for (let i = 0; i < looks; i++) compare(net, recipe.ema, digits);
      }
      return { net, recipe, rows };
    };
    const { net, recipe, rows } = run(1);
    expect(rows.map(({ step }) => step)).toEqual([4, 8, 12, 16]);
    expect(recipe.ema.nAveraged).toBe(digits.labels.length / BATCH_SIZE);
    const values = ({ net: { parameters } }: { net: LeNet }, of = net) =>
      parameters.call(of).map(({ data }) => bits(data));
    const other = run(0);
    expect(values({ net })).toEqual(values({ net: other.net }, other.net));
    const own = accuracy(net, digits);
    recipe.ema.swap();
    const averaged = accuracy(net, digits);
    recipe.ema.restore();
    expect(compare(net, recipe.ema, digits)).toEqual({ own, averaged });
  });

  it('restores the network when reading fails', () => {
    const net = new LeNet(seeded(1));
    const { ema } = makeRecipe(net, 0.75, 0.9);
    let calls = 0;
    net.classify = (images) => {
      if (++calls > 1) throw new Error('no more');
      return LeNet.prototype.classify.call(net, images);
    };
    expect(() => compare(net, ema, digits)).toThrow('no more');
    expect(ema.swapped).toBe(false);
  });
});

describe('the command line', () => {
  it('has defaults, and smaller ones for a quick run', () => {
    expect(readOptions([])).toMatchObject({ layerDecay: 0.75, emaDecay: 0.99, seed: 1 });
    expect(readOptions(['--quick']).tuneSize).toBeLessThan(readOptions([]).tuneSize);
    expect(readOptions(['--layer-decay', '0.5', '--ema=0.9', '--seed', '7'])).toMatchObject({
      layerDecay: 0.5,
      emaDecay: 0.9,
      seed: 7,
    });
  });

  it.each([
    [['--emma', '1'], "Unknown option '--emma'. --help lists the options."],
    [['--ema=0'], "Expected a number above 0, up to 1, for --ema but received '0'."],
    [['--seed', '-1'], "Option '--seed' argument is ambiguous. --help lists the options."],
  ])('refuses %j', (args, sentence) => {
    expect(() => readOptions(args)).toThrow(DemoError);
    expect(() => readOptions(args)).toThrow(sentence);
  });

  it('explains itself', () => {
    let text = '';
    runFinetune(['--help'], {
      write: (more) => {
        text += more;
      },
    });
    expect(text).toBe(help);
    for (const option of ['layer-decay', 'ema', 'seed', 'quick', 'help']) {
      expect(text).toContain(`--${option} `);
    }
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(90);
  });
});

describe('the demo', () => {
  it('shows the groups, the way, and what came out', () => {
    let text = '';
    runFinetune(['--quick'], {
      write: (more) => {
        text += more;
      },
    });
    expect(text).toContain('A network that knows upright digits: 62,006 parameters, 640 digits');
    expect(text).toContain('layer 0, decay      9.5e-4   0.05       450   features.0.weight\n');
    expect(text).toContain('layer 4, no decay   3e-3     0           10   classifier.4.bias\n');
    expect(text.match(/^ +\d+ +\d\.\d{4} +[\d.]+ % +[\d.]+ %$/gm)).toHaveLength(8);
    const shares = [...text.matchAll(/^ +(before|after).*? +([\d.]+) %$/gm)].map((row) =>
      Number(row[2]),
    );
    expect(shares).toHaveLength(3);
    expect(shares[1]).toBeGreaterThan(shares[0]! + 10);
    expect(shares[2]).toBeGreaterThan(shares[0]! + 10);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(90);
  });
});
