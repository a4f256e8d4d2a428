/** Adafactor; line for line `native/rules/adafactor.h`. */

import { power } from '../../../support/power.ts';
import { viewOf } from '../../../support/typed-arrays.ts';
import { fma } from '../fma.ts';
import { reduceArray, reductions, sumOfSquares } from '../reduce.ts';
import {
  type Arrays,
  countStep,
  type Lerp,
  maximum,
  type Rule,
  STEP_COUNT,
  toFloat32,
  toLerp,
} from './rule.ts';

const { fround, sqrt } = Math;

const FLOAT_EPS = 2 ** -23;
const [ROW_VAR, COL_VAR, VARIANCE, EXP_AVG] = [0, 1, 2, 3];

interface Scalars {
  readonly rate: number;
  readonly eps2: number;
  readonly d: number;
  readonly lerp: Lerp;
  readonly decay: number;
  readonly eps1: number;
  readonly square: number;
  readonly beta1: number;
  readonly oneMinusBeta1: number;
  readonly decays: boolean;
  readonly scales: boolean;
}

export const adafactor: Rule<Scalars> = {
  name: 'adafactor',
  fields: [
    'lr',
    'beta2Decay',
    'eps1',
    'eps2',
    'd',
    'weightDecay',
    'scaleParameter',
    'relativeStep',
    'warmupInit',
    'beta1',
    'maximize',
  ],
  record: STEP_COUNT,

  stateLength({ length, rows, columns }, which) {
    const isMatrix = rows > 0;
    if (which === ROW_VAR) return isMatrix ? length / columns : 0;
    if (which === COL_VAR) return isMatrix ? length / rows : 0;
    return which === VARIANCE && isMatrix ? 0 : length;
  },

  prepare(struct, record) {
    const [lr, beta2Decay, ownEps1, eps2, d, weightDecay] = Array.from(struct) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const beta1 = struct[9]!;
    const step = countStep(record);
    const decreasing = 1 / sqrt(step);
    const most = struct[8] !== 0 ? 1e-6 * step : lr;
    const eps1 = ownEps1 < 0 ? FLOAT_EPS : ownEps1;
    return {
      rate: struct[7] !== 0 && decreasing < most ? decreasing : most,
      eps2,
      d,
      lerp: toLerp(power(step, beta2Decay)),
      decay: toFloat32(1 - lr * weightDecay),
      eps1: toFloat32(eps1),
      square: toFloat32(eps1 * eps1),
      beta1: toFloat32(beta1),
      oneMinusBeta1: toFloat32(1 - beta1),
      decays: weightDecay !== 0,
      scales: struct[6] !== 0,
    };
  },

  update(s, arrays) {
    const { data, length, rows } = arrays;
    const sum = s.scales ? sumOfSquares(length, (i) => data[i]!) : 0;
    const scale = s.scales ? larger(s.eps2, rootOf(sum) / sqrt(length)) : 1;
    const update = rows > 0 ? matrixUpdate(s, arrays) : vectorUpdate(s, arrays);
    move(s, arrays, update, scale * s.rate);
  },
};

/** A norm is a float32 in torch, before it becomes a number. */
function rootOf(sum: number): number {
  return fround(sqrt(sum));
}

/** As Python's max(a, b), which keeps a unless b is greater. */
function larger(a: number, b: number): number {
  return b > a ? b : a;
}

function lerp(by: Lerp, start: number, end: number): number {
  return fma(by.weight, fround(end - start), by.far ? end : start);
}

/** The update at a place, and the sum of all squares. */
interface Update {
  readonly at: (i: number) => number;
  readonly sum: number;
}

function updateOf(s: Scalars, grad: number, variance: number): number {
  const root = fround(sqrt(maximum(variance, s.square)));
  return fround(fround(1 / root) * grad);
}

function vectorUpdate(s: Scalars, { grad, state, length }: Arrays): Update {
  const variances = state[VARIANCE]!;
  for (let i = 0; i < length; i++) {
    const g = grad[i]!;
    variances[i] = lerp(s.lerp, variances[i]!, fround(g * g));
  }
  const at = (i: number) => updateOf(s, grad[i]!, variances[i]!);
  return { at, sum: sumOfSquares(length, at) };
}

function matrixUpdate(s: Scalars, arrays: Arrays): Update {
  const { grad, state, length, rows, columns } = arrays;
  const rowVars = state[ROW_VAR]!;
  const colVars = state[COL_VAR]!;
  averageRows(s, arrays);
  averageColumns(s, arrays);
  const means: number[] = [];
  for (let m = 0; m < length / columns / rows; m++) {
    const sum = reduceArray(reductions.sumOfAbs, viewOf(rowVars, m * rows, rows));
    const mean = fround(fround(sum) / rows);
    means[m] = mean < s.eps1 ? s.eps1 : mean;
  }
  const at = (i: number) => {
    const row = Math.floor(i / columns);
    const matrix = Math.floor(row / rows);
    const colVar = colVars[matrix * columns + (i % columns)]!;
    const variance = fround(fround(colVar * rowVars[row]!) / means[matrix]!);
    return updateOf(s, grad[i]!, variance);
  };
  let sum = 0;
  for (let row = 0; row < length / columns; row++) {
    sum += sumOfSquares(columns, (j) => at(row * columns + j));
  }
  return { at, sum };
}

/** The mean of squares as torch has it: a norm, squared, over how many there are. */
function meanOf(sum: number, count: number): number {
  const norm = fround(sqrt(sum));
  return fround(fround(norm * norm) / count);
}

function averageRows(s: Scalars, { grad, state, length, columns }: Arrays): void {
  const rowVars = state[ROW_VAR]!;
  for (let row = 0; row < length / columns; row++) {
    const sum = sumOfSquares(columns, (j) => grad[row * columns + j]!);
    rowVars[row] = lerp(s.lerp, rowVars[row]!, meanOf(sum, columns));
  }
}

function averageColumns(s: Scalars, { grad, state, length, rows, columns }: Arrays): void {
  const colVars = state[COL_VAR]!;
  for (let i = 0; i < length / rows; i++) {
    const first = Math.floor(i / columns) * rows * columns + (i % columns);
    const sum = sumOfSquares(rows, (row) => grad[first + row * columns]!);
    colVars[i] = lerp(s.lerp, colVars[i]!, meanOf(sum, rows));
  }
}

function move(s: Scalars, { data, state, length }: Arrays, update: Update, alpha: number): void {
  const denominator = larger(1, rootOf(update.sum) / (sqrt(length) * s.d));
  const factor = fround(-alpha / denominator);
  const expAvgs = state[EXP_AVG];
  for (let i = 0; i < length; i++) {
    const param = s.decays ? fround(data[i]! * s.decay) : data[i]!;
    if (s.beta1 === 0) {
      data[i] = fma(factor, update.at(i), param);
      continue;
    }
    const scaled = fround(factor * update.at(i));
    const expAvg = fma(s.oneMinusBeta1, scaled, fround(expAvgs![i]! * s.beta1));
    expAvgs![i] = expAvg;
    data[i] = fround(param + expAvg);
  }
}
