// docs/schedules.svg: every scheduler and every plain schedule, run for 100 steps.

import { writeFile } from 'node:fs/promises';
import { record } from '../../dist/cli/series.js';
import { svgGrid } from '../../dist/cli/svg-plot.js';
import * as gradstep from '../../dist/portable.js';

const STEPS = 100;

const {
  ChainedScheduler,
  cosine,
  cycle,
  exponential,
  getScheduler,
  inverseSqrt,
  join,
  linear,
  oneCycle,
  piecewise,
  polynomial,
  SequentialLR,
  warmup,
  warmupStableDecay,
} = gradstep;

// biome-ignore lint/performance/noDynamicNamespaceImportAccess: the picture shows them all
const classOf = (name) => gradstep[name];

/** A chart of what a class does to an lr of 1. */
function chart(name, note, make) {
  const build = make ?? ((optimizer) => new (classOf(name))(optimizer, note));
  const values = record(1, STEPS + 1, build);
  return { title: name, note: typeof note === 'string' ? note : told(note), series: [{ values }] };
}

/** `{ stepSize: 30 }` as `stepSize: 30`. */
const told = (options) =>
  Object.entries(options)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? `[${value}]` : value}`)
    .join(', ');

/** A metric that improves less and less. */
function plateau(optimizer) {
  const scheduler = new gradstep.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 5 });
  let epoch = 0;
  return { step: () => scheduler.step(Math.max(0.4, 2 / (1 + 0.06 * epoch++))) };
}

const classes = [
  chart('LambdaLR', '(epoch) => 0.95 ** epoch', (optimizer) => {
    return new gradstep.LambdaLR(optimizer, { lrLambda: (epoch) => 0.95 ** epoch });
  }),
  chart('MultiplicativeLR', '(epoch) => 1 - 1 / (epoch + 9)', (optimizer) => {
    return new gradstep.MultiplicativeLR(optimizer, { lrLambda: (epoch) => 1 - 1 / (epoch + 9) });
  }),
  chart('StepLR', { stepSize: 30, gamma: 0.5 }),
  chart('MultiStepLR', { milestones: [20, 30, 80], gamma: 0.5 }),
  chart('ConstantLR', { factor: 0.3, totalIters: 40 }),
  chart('LinearLR', { startFactor: 0.1, totalIters: 40 }),
  chart('ExponentialLR', { gamma: 0.96 }),
  chart('PolynomialLR', { totalIters: 80, power: 2 }),
  chart('CosineAnnealingLR', { TMax: 40 }),
  chart('CosineAnnealingWarmRestarts', { T0: 14, TMult: 2 }),
  chart('CyclicLR', { baseLr: 0.1, maxLr: 1, stepSizeUp: 16 }),
  chart('OneCycleLR', { maxLr: 1, totalSteps: STEPS + 1 }),
  chart('ReduceLROnPlateau', 'factor: 0.5, patience: 5', plateau),
  chart('SWALR', { swaLr: 0.2, annealEpochs: 50 }),
  chart('SequentialLR', 'LinearLR, then ExponentialLR', (optimizer) => {
    const first = new gradstep.LinearLR(optimizer, { startFactor: 0.05, totalIters: 20 });
    const second = new gradstep.ExponentialLR(optimizer, { gamma: 0.97 });
    return new SequentialLR(optimizer, { schedulers: [first, second], milestones: [20] });
  }),
  chart('ChainedScheduler', 'CosineAnnealingLR with StepLR', (optimizer) => {
    const wave = new gradstep.CosineAnnealingLR(optimizer, { TMax: 20 });
    const decay = new gradstep.StepLR(optimizer, { stepSize: 40, gamma: 0.5 });
    return new ChainedScheduler([wave, decay]);
  }),
];

const plain = (title, note, at) => ({
  title,
  note,
  series: [{ values: Array.from({ length: STEPS + 1 }, (_, step) => at(step)) }],
});

const functions = [
  plain('cosine', 'steps: 80, to: 0.1', cosine({ steps: 80, to: 0.1 })),
  plain('linear', 'steps: 80', linear({ steps: 80 })),
  plain('polynomial', 'steps: 80, power: 3', polynomial({ steps: 80, power: 3 })),
  plain(
    'exponential',
    'gamma: 0.5, steps: 20, staircase: true',
    exponential({ gamma: 0.5, steps: 20, staircase: true }),
  ),
  plain(
    'piecewise',
    "[0, 1], [40, 0.3], [100, 0.6], 'linear'",
    piecewise(
      [
        [0, 1],
        [40, 0.3],
        [100, 0.6],
      ],
      { interpolate: 'linear' },
    ),
  ),
  plain(
    'oneCycle',
    'threePhase: true, pctStart: 0.4',
    oneCycle({ totalSteps: STEPS + 1, threePhase: true, pctStart: 0.4 }),
  ),
  plain('inverseSqrt', 'timescale: 10', inverseSqrt({ timescale: 10 })),
  plain('warmup', '20, inverseSqrt({ timescale: 20 })', warmup(20, inverseSqrt({ timescale: 20 }))),
  plain(
    'warmupStableDecay',
    '10 steps up, 60 at the top, 30 down',
    warmupStableDecay({ warmupSteps: 10, stableSteps: 60, decaySteps: 30 }),
  ),
  plain(
    'join',
    'linear until 30, then cosine',
    join([linear({ from: 0.2, to: 1, steps: 30 }), cosine({ steps: 70 })], [30]),
  ),
  plain(
    'cycle',
    'cosine, steps: 14, mult: 2, gamma: 0.8',
    cycle(cosine({ steps: 14 }), { steps: 14, mult: 2, gamma: 0.8 }),
  ),
];

const options = {
  cosine_with_restarts: { cycles: 3 },
  polynomial: { power: 2 },
  cosine_with_min_lr: { minLrRate: 0.2 },
  warmup_stable_decay: { decaySteps: 25, decayType: '1-sqrt' },
};

const byName = gradstep.SCHEDULER_NAMES.map((name) => {
  const own = options[name] ?? {};
  const steps = name === 'constant' ? {} : { warmupSteps: 10, totalSteps: STEPS };
  const build = (optimizer) => getScheduler(name, optimizer, { ...steps, ...own });
  return chart(name, told(own) || ' ', build);
});

/** Draws, and returns the names of what it wrote. */
export async function draw() {
  const file = 'docs/schedules.svg';
  const sections = [
    { heading: 'torch’s schedulers', charts: classes },
    { heading: 'Plain schedules', charts: functions },
    {
      heading: 'getScheduler(name, optimizer, { warmupSteps: 10, totalSteps: 100, … })',
      charts: byName,
    },
  ];
  await writeFile(new URL(`../../${file}`, import.meta.url), svgGrid(sections));
  return [file];
}
