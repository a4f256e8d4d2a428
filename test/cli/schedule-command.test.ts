/** `gradstep schedule`: what it prints, what it writes, what it refuses. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../lib/cli/main.ts';
import { short, ticks } from '../../lib/cli/scale.ts';
import { run as runSchedule } from '../../lib/cli/schedule.ts';
import { NAMES, seriesOf } from '../../lib/cli/series.ts';
import { svgGrid, svgPlot } from '../../lib/cli/svg-plot.ts';
import { terminalPlot } from '../../lib/cli/terminal-plot.ts';
import { OneCycleLR, SGD } from '../../lib/index.ts';

let folder: string;
let printed: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
  printed = '';
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const terminal = {
  write: (text: string) => {
    printed += text;
  },
  columns: 80,
  colour: false,
};

const run = (...args: string[]) => {
  runSchedule(args, terminal);
  return printed;
};

describe('the command', () => {
  test('prints a plot and writes an SVG', () => {
    const file = join(folder, 'cosine.svg');
    run('cosine', '--warmup', '100', '--total=1000', '--lr', '3e-4', '--svg', file);
    expect(printed).toContain('cosine: starts at 0 at step 0, highest 3e-4 at step 100, ends at');
    expect(printed).toContain(`wrote ${file}`);
    const lines = printed.split('\n');
    const axis = lines.find((line) => line.includes('└'))!;
    expect(axis.length).toBe(80);
    expect(lines.filter((line) => /[\u2801-\u28ff]/.test(line)).length).toBe(16);
    const svg = readFileSync(file, 'utf8');
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 720 400"[\s\S]*<\/svg>\n$/);
    expect(svg.match(/<polyline/g)).toHaveLength(1);
    expect(svg).toContain('>cosine<');
  });

  test('draws several, and classes with options in any spelling', () => {
    const file = join(folder, 'all.svg');
    run('linear', 'inverse_sqrt', '--warmup', '9', '--total', '50', '--svg', file);
    expect(readFileSync(file, 'utf8').match(/<polyline/g)).toHaveLength(2);
    run('CosineAnnealingWarmRestarts', '--t-0', '10', '--T_mult', '2');
    run('MultiStepLR', '--milestones', '30,60', '--gamma', '0.5', '--height', '5');
    run('OneCycleLR', '--three-phase');
    expect(printed).toContain('ends at 0.25 at step 999');
    expect(readdirSync(folder)).toEqual(['all.svg']);
  });

  test('one milestone is a list, epochs say how long, and any name of a file is one', () => {
    run('MultiStepLR', '--milestones', '30', '--total', '60');
    expect(printed).toContain('ends at 0.1 at step 59');
    run('OneCycleLR', '--epochs', '3', '--steps-per-epoch=10', '--total', '30');
    expect(printed).toContain('ends at 4e-6 at step 29');
    expect(() => run('OneCycleLR', '--epochs', '3', '--steps-per-epoch', '9')).toThrow(/is 27/);
    const here = process.cwd();
    process.chdir(folder);
    try {
      run('linear', '--svg', '5');
      run('linear', '--svg=a,b.svg');
    } finally {
      process.chdir(here);
    }
    expect(readdirSync(folder)).toEqual(['5', 'a,b.svg']);
  });

  test('writes no file unasked, and values as JSON', () => {
    const here = process.cwd();
    process.chdir(folder);
    try {
      run('linear', '--total', '4');
      expect(readdirSync('.')).toEqual([]);
      printed = '';
      const values = JSON.parse(run('linear', 'constant', '--total', '4', '--json'));
      expect(values).toEqual({ linear: [1, 0.75, 0.5, 0.25], constant: [1, 1, 1, 1] });
      run('linear', '--svg');
      expect(readdirSync('.')).toEqual(['schedule-linear.svg']);
    } finally {
      process.chdir(here);
    }
  });

  test('a file that cannot be written is said', () => {
    const file = join(folder, 'none', 'x.svg');
    const refused = { code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(file) };
    expect(() => run('linear', '--svg', file)).toThrow(expect.objectContaining(refused));
  });

  test('a terminal that does not know its width has 80 columns', async () => {
    const { columns } = process.stdout;
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    try {
      process.stdout.columns = 0;
      expect(await main(runSchedule, ['linear'])).toBe(0);
    } finally {
      process.stdout.columns = columns;
      write.mockRestore();
    }
    expect(printed.split('\n').find((line) => line.includes('└'))).toHaveLength(80);
  });

  test('help', () => {
    for (const args of [[], ['--help'], ['-h']]) expect(run(...args)).toContain('Usage: gradstep');
    for (const name of NAMES) expect(printed).toContain(name);
  });

  test.each([
    [['cosin'], "received 'cosin'; did you mean cosine?"],
    [['LambdaLR'], 'Known are linear'],
    [['StepLR'], 'stepSize of StepLR'],
    [['linear', '--warmup', 'x'], 'warmupSteps'],
    [['linear', '--total', '1.5'], '--total to be a whole number > 0'],
    [['linear', '--lr', 'high'], '--lr to be a number but received high'],
    [['linear', '--powr', '2'], "Unknown option 'powr'"],
  ])('%j is refused, and nothing is written', (args, message) => {
    expect(() => run(...args, '--svg', join(folder, 'none.svg'))).toThrow(message);
    expect(printed).toBe('');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('curves', () => {
  test('are the lr that the scheduler gives', () => {
    const { values } = seriesOf('OneCycleLR', { total: 30, lr: 0.5, options: { divFactor: 5 } });
    const optimizer = new SGD([{ params: [] }], { lr: 0.5, momentum: 0.9 });
    const scheduler = new OneCycleLR(optimizer, { maxLr: 0.5, totalSteps: 30, divFactor: 5 });
    for (const value of values) {
      expect(value).toBe(optimizer.paramGroups[0]!.lr);
      scheduler.step();
    }
  });

  test('every name can be drawn', () => {
    const needed: Record<string, object> = {
      StepLR: { stepSize: 9 },
      MultiStepLR: { milestones: [9] },
      ExponentialLR: { gamma: 0.9 },
      CosineAnnealingWarmRestarts: { T0: 9 },
      SWALR: { swaLr: 0.1 },
      cosine_with_min_lr: { minLrRate: 0.1 },
      warmup_stable_decay: { decaySteps: 9 },
    };
    for (const name of NAMES) {
      const { values } = seriesOf(name, { total: 50, lr: 1, options: { ...needed[name] } });
      expect(values).toHaveLength(50);
    }
  });

  test('a terminal plot joins jumps and marks its axes', () => {
    const plot = terminalPlot([{ label: 'a', values: [1, 1, 0, 0] }], {
      width: 12,
      height: 2,
      colour: false,
    });
    expect(plot.split('\n')).toEqual(['1 ┤⠉⠉⠉⠉⢱', '0 ┤    ⢸⣀⣀⣀⣀', '  └─────────', '   0step   3']);
  });

  test('a peak between two columns, or two points of an SVG, is drawn', () => {
    const values = Array.from({ length: 3001 }, (_, step) => (step === 1234 ? 1 : 0.001));
    const series = [{ label: 'a', values }];
    const [top] = terminalPlot(series, { width: 40, height: 9, colour: false }).split('\n');
    expect(top).toMatch(/[\u2801-\u28ff]/);
    const [, points] = /points="([^"]*)"/.exec(svgPlot({ title: 'a', series }))!;
    const heights = points!.split(' ').map((point) => Number(point.split(',')[1]));
    expect(heights.length).toBeLessThanOrEqual(602);
    expect(Math.max(...heights) - Math.min(...heights)).toBeGreaterThan(200);
  });

  test('an SVG escapes its words, and a grid holds all charts', () => {
    const series = [{ label: 'a', values: [0, 1] }];
    expect(svgPlot({ title: '<&>', series })).toContain('>&#60;&#38;&#62;<');
    const charts = Array.from({ length: 5 }, (_, i) => ({ title: `c${i}`, series }));
    expect(svgGrid([{ heading: 'all', charts }]).match(/<polyline/g)).toHaveLength(5);
  });

  test('axes have round numbers', () => {
    expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]);
    expect(ticks(0, 999, 6)).toEqual([0, 200, 400, 600, 800]);
    expect([0, 0.6000000000000001, 1e-7, 3e-4, 1000, 0.001].map(short)).toEqual([
      '0',
      '0.6',
      '1e-7',
      '3e-4',
      '1000',
      '0.001',
    ]);
  });
});

test('the picture in the docs is of these schedules', () => {
  const svg = readFileSync(new URL('../../docs/schedules.svg', import.meta.url), 'utf8');
  expect(svg.match(/<polyline/g)).toHaveLength(16 + 11 + 9);
});
