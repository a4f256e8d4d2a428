/** The demo of examples/lenet around the network: loops, command line, output, picture. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Adam, SGD } from 'gradstep';
import { afterAll, describe, expect, it } from 'vitest';
import { runDemo } from '../../examples/lenet/demo.ts';
import { DemoError } from '../../examples/lenet/demo-error.ts';
import { batch, slice } from '../../examples/lenet/digits.ts';
import { fineTune, groupings } from '../../examples/lenet/fine-tune.ts';
import { LeNet } from '../../examples/lenet/lenet.ts';
import { lossCurve, ticks } from '../../examples/lenet/loss-curve.ts';
import { readDigits } from '../../examples/lenet/mnist.ts';
import { readOptions } from '../../examples/lenet/options.ts';
import { Progress } from '../../examples/lenet/progress.ts';
import { seeded } from '../../examples/lenet/random.ts';
import { percent, rate } from '../../examples/lenet/report.ts';
import { accuracy, stepCount, train } from '../../examples/lenet/train.ts';

const folder = mkdtempSync(join(tmpdir(), 'lenet-'));
afterAll(() => rmSync(folder, { recursive: true }));

function failure(call: () => unknown): DemoError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(DemoError);
    return error as DemoError;
  }
  throw new Error('nothing was thrown');
}

describe('training', () => {
  const digits = slice(readDigits('train'), 0, 96);
  const plan = () => ({ epochs: 4, batchSize: 32, random: seeded(2) });

  it('is the same for the same seed, and lowers the loss', () => {
    const run = () => {
      const net = new LeNet(seeded(1));
      return [...train(net, new Adam(net.namedParameters(), { lr: 0.002 }), digits, plan())];
    };
    const losses = run();
    expect(losses.length).toBe(stepCount(digits, plan()));
    expect(losses.length).toBe(12);
    expect(losses[0]).toBeCloseTo(Math.log(10), 1);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    expect(run()).toEqual(losses);
  });

  it('stops with a sentence when the loss is no number', () => {
    const net = new LeNet(seeded(1));
    net.parameters().at(-1)!.data.fill(NaN);
    const { message } = failure(() => [...train(net, new SGD(net.parameters()), digits, plan())]);
    expect(message).toBe('The loss became NaN: try a lower learning rate.');
  });

  it('measures the share of right answers', () => {
    const net = new LeNet(seeded(1));
    let count = 0;
    const share = accuracy(net, digits, () => {
      count += 1;
    });
    expect(count).toBe(96);
    const { images } = batch(
      digits,
      Int32Array.from({ length: 96 }, (_, i) => i),
    );
    const right = net.classify(images).filter((digit, n) => digit === digits.labels[n]);
    expect(share).toBe(right.length / 96);
  });
});

describe('fine-tuning', () => {
  const digits = slice(readDigits('train'), 100, 164);
  const tune = (index: number) => {
    const net = new LeNet(seeded(1));
    const plan = { epochs: 1, batchSize: 16, random: seeded(2) };
    const before = net.copy();
    const groups = fineTune(net, groupings[index]!, digits, plan, () => {});
    return { net, before, groups };
  };

  it('by part moves the classifier, and the features hardly', () => {
    const { groups } = tune(0);
    expect(groups.map(({ name, size }) => [name, size])).toEqual([
      ['features', 2_872],
      ['classifier', 59_134],
    ]);
    expect(groups.map(({ lr }) => lr)).toEqual([
      [1e-5, 1e-5],
      [1e-2, 1e-2],
    ]);
    expect(groups[0]!.moved).toBeGreaterThan(0);
    expect(groups[1]!.moved).toBeGreaterThan(20 * groups[0]!.moved);
  });

  it('by layer has each parameter in one of two groups', () => {
    const { groups } = tune(1);
    expect(groups.map(({ name, size }) => [name, size])).toEqual([
      ['others', 3_722],
      ['special', 58_284],
    ]);
    expect(groups[1]!.moved).toBeGreaterThan(groups[0]!.moved);
  });

  it('with a dynamic lr lets it fall for all groups', () => {
    for (const { lr } of tune(2).groups) expect(lr).toEqual([1e-2, 2.5e-3]);
  });

  it('tells how far each group has moved', () => {
    const { net, before, groups } = tune(0);
    const join = (network: LeNet) =>
      network.features.parameters().flatMap((parameter) => [...parameter.data]);
    const old = join(before);
    const moved = Math.hypot(...join(net).map((value, i) => value - old[i]!));
    expect(groups[0]!.moved).toBeCloseTo(moved / Math.hypot(...old), 10);
  });
});

describe('progress', () => {
  const show = (isTTY: boolean, columns: number) => {
    let text = '';
    const write = (more: string) => {
      text += more;
    };
    const progress = new Progress({ write, isTTY, columns }, 'work', 10, 2);
    for (let i = 1; i <= 10; i++) progress.advance(`loss ${i}`);
    return text;
  };

  it('is plain lines without a terminal', () => {
    expect(show(false, 80)).toBe('  work   5/10  loss 5\n  work  10/10  loss 10\n');
  });

  it('is a bar in one line on a terminal', () => {
    const text = show(true, 80);
    expect(text).toContain(`\r  work  ${'░'.repeat(24)}   0/10`);
    expect(text).toContain(`\r  work  ${'█'.repeat(24)}  10/10  loss 10  0 s\x1b[K\n`);
    expect(text.split('\n').length).toBe(2);
  });

  it('fits into a narrow terminal', () => {
    const lines = show(true, 20).trimEnd().split('\r').slice(1);
    for (const line of lines) expect(line.replace('\x1b[K', '').length).toBeLessThan(20);
  });
});

describe('the picture', () => {
  it('has a title, axes with units, and two curves', () => {
    const picture = lossCurve([2.3, 1.1, 0.4], 'LeNet <1>', 'Adam & co');
    expect(picture).toContain('>LeNet &#60;1&#62;</text>');
    expect(picture).toContain('>Adam &#38; co</text>');
    expect(picture).toContain('>step</text>');
    expect(picture).toContain('>cross-entropy loss (nats)</text>');
    expect(picture.match(/<polyline /g)).toHaveLength(2);
    expect(picture).not.toContain('NaN');
  });

  it('stays small for a long run', () => {
    const losses = Array.from({ length: 200_000 }, (_, i) => 2 / (1 + i / 1000));
    expect(lossCurve(losses, '', '').length).toBeLessThan(60_000);
  });

  it('has round ticks', () => {
    expect(ticks(2.4, 5)).toEqual(['0.0', '0.5', '1.0', '1.5', '2.0', '2.5']);
    expect(ticks(0.031, 5)).toEqual(['0.00', '0.01', '0.02', '0.03', '0.04']);
    expect(ticks(750, 8).at(-1)).toBe('800');
  });
});

describe('numbers', () => {
  it('are written for people', () => {
    expect([0.9712, 0, 1, 0.000314].map(percent)).toEqual([
      '97.12 %',
      '0.00 %',
      '100.00 %',
      '0.031 %',
    ]);
    expect([1e-2, 1e-5, 8e-5, 0].map(rate)).toEqual(['1e-2', '1e-5', '8e-5', '0']);
  });
});

describe('the command line', () => {
  it('has defaults, and smaller ones for a quick run', () => {
    const usual = readOptions([]);
    expect(usual).toMatchObject({ epochs: 1, batchSize: 16, lr: 0.002, seed: 1, help: false });
    expect(usual.out).toBe(join('examples', 'lenet', 'out', 'loss.svg'));
    expect(readOptions(['--quick']).trainSize).toBeLessThan(usual.trainSize);
    expect(readOptions(['--quick', '--train-size', '64']).trainSize).toBe(64);
  });

  it.each([
    [['--epoch', '1'], "Unknown option '--epoch'. --help lists the options."],
    [['fast'], "Unexpected argument 'fast'. --help lists the options."],
    [['--lr'], "Option '--lr <value>' argument missing. --help lists the options."],
    [['--lr=0'], "Expected a number above 0, up to 1, for --lr but received '0'."],
    [['--lr', 'abc'], "Expected a number above 0, up to 1, for --lr but received 'abc'."],
    [
      ['--train-size', '60000'],
      "Expected a whole number from 1 to 56000 for --train-size but received '60000'.",
    ],
    [['--seed', ''], "Expected a whole number from 0 to 4294967295 for --seed but received ''."],
  ])('refuses %j', (args, sentence) => {
    const { message, exitCode } = failure(() => readOptions(args));
    expect(message).toBe(sentence);
    expect(exitCode).toBe(2);
  });

  it('explains itself', async () => {
    let text = '';
    const output = {
      write: (more: string) => {
        text += more;
      },
    };
    await runDemo(['--help'], output);
    for (const option of [
      'epochs',
      'batch-size',
      'lr',
      'seed',
      'train-size',
      'out',
      'quick',
      'resume',
    ]) {
      expect(text).toContain(`--${option} `);
    }
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(90);
  });
});

describe('the demo', () => {
  it('trains, fine-tunes three times and draws the loss', async () => {
    const out = join(folder, 'pictures', 'loss.svg');
    const lines: string[] = [];
    const output = { write: (text: string) => lines.push(...text.trimEnd().split('\n')) };
    await runDemo(['--quick', '--train-size', '320', '--out', out], output);
    const text = lines.join('\n');
    expect(text).toContain('1. Training: 62,006 parameters, 320 digits');
    expect(text.match(/training +\d+\/20 {2}loss \d\.\d{4}/g)).toHaveLength(10);
    expect(text).toMatch(/Accuracy on 500 digits that it has not seen: \d+\.\d\d %/);
    expect(text.match(/Accuracy: .* % before, .* % after/g)).toHaveLength(3);
    expect(text).toMatch(/features +1e-5 +2,872 +0\.\d+ %/);
    expect(text).toMatch(
      /\nFinal accuracy {2}\d+\.\d\d %\nLoss curve {6}.*loss\.svg\nWeights {9}SHA-256 [0-9a-f]{16}\nTime .* s$/,
    );
    expect(readFileSync(out, 'utf8')).toContain('of 500 unseen digits');
  });

  it('fails before the training where the picture cannot be written', async () => {
    const out = join(folder, 'no', 'such', 'folder', 'loss.svg');
    const failed = runDemo(['--out', out], { write: () => {} });
    await expect(failed).rejects.toBeInstanceOf(DemoError);
    const message = expect.stringContaining('Cannot write the picture: ENOENT');
    await expect(failed).rejects.toMatchObject({ message, exitCode: 1 });
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });
});
