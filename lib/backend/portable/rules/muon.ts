/** Muon; line for line `native/rules/muon.h`. */

import { viewOf } from '../../../support/typed-arrays.ts';
import { fma } from '../fma.ts';
import { sumOfSquares } from '../reduce.ts';
import {
  type Arrays,
  countStep,
  type Lerp,
  type Rule,
  STEP_COUNT,
  toFloat32,
  toLerp,
} from './rule.ts';

const { fround, max, sqrt } = Math;

const [MATCH_RMS_ADAMW, ORIGINAL] = [1, 0];

interface Scalars {
  readonly lr: number;
  readonly lerp: Lerp;
  readonly ahead: Lerp;
  readonly decay: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly eps: number;
  readonly steps: number;
  readonly adjust: number;
  readonly nesterov: boolean;
  readonly decays: boolean;
  readonly rounded: (x: number) => number;
}

export const muon: Rule<Scalars> = {
  name: 'muon',
  fields: [
    'lr',
    'weightDecay',
    'momentum',
    'nesterov',
    'nsA',
    'nsB',
    'nsC',
    'eps',
    'nsSteps',
    'adjustLrFn',
    'nsDtype',
    'maximize',
  ],
  record: STEP_COUNT,

  stateLength: ({ length }) => length,

  prepare(struct, record) {
    countStep(record);
    const [lr, weightDecay, momentum] = [struct[0]!, struct[1]!, struct[2]!];
    return {
      lr,
      lerp: toLerp(1 - momentum),
      ahead: toLerp(momentum),
      decay: toFloat32(1 - lr * weightDecay),
      a: toFloat32(struct[4]!),
      b: toFloat32(struct[5]!),
      c: toFloat32(struct[6]!),
      eps: toFloat32(struct[7]!),
      steps: struct[8]!,
      adjust: struct[9]!,
      nesterov: struct[3] !== 0,
      decays: weightDecay !== 0,
      rounded: struct[10] === 0 ? toBfloat16 : (x) => x,
    };
  },

  update(s, arrays) {
    const isMatrix = arrays.rows > 0;
    const rows = isMatrix ? arrays.rows : 1;
    const columns = isMatrix ? arrays.columns : arrays.length;
    const length = rows * columns;
    for (let i = 0; i < arrays.length; i += length) {
      stepMatrix(s, {
        data: viewOf(arrays.data, i, length),
        grad: viewOf(arrays.grad, i, length),
        state: [viewOf(arrays.state[0]!, i, length)],
        length,
        rows,
        columns,
      });
    }
  },
};

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The nearest number of 8 bits; of two as near, the even one. */
function toBfloat16(x: number): number {
  if (Number.isNaN(x)) return x;
  float[0] = x;
  word[0] = (word[0]! + 0x7fff + ((word[0]! >>> 16) & 1)) & 0xffff0000;
  return float[0];
}

function stepMatrix(s: Scalars, arrays: Arrays): void {
  const { data, length, rows, columns } = arrays;
  const isTall = rows > columns;
  const update = updateOf(s, arrays);
  let x = isTall ? transposed(update, rows, columns) : update;
  const [shorter, longer] = isTall ? [columns, rows] : [rows, columns];
  for (let i = 0; i < s.steps; i++) x = iterate(s, x, shorter, longer);
  if (isTall) x = transposed(x, columns, rows);
  const factor = fround(-(s.lr * ratioOf(s, rows, columns)));
  for (let i = 0; i < length; i++) {
    const param = s.decays ? fround(data[i]! * s.decay) : data[i]!;
    data[i] = fma(factor, x[i]!, param);
  }
}

/** The momentum, and the update from it, ahead of it with Nesterov; over its norm. */
function updateOf(s: Scalars, { grad, state, length }: Arrays): Float32Array {
  const buffers = state[0]!;
  const update = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const [g, before] = [grad[i]!, buffers[i]!];
    const buffer = fma(s.lerp.weight, fround(g - before), s.lerp.far ? g : before);
    buffers[i] = buffer;
    const ahead = fma(s.ahead.weight, fround(buffer - g), s.ahead.far ? buffer : g);
    update[i] = s.rounded(s.nesterov ? ahead : buffer);
  }
  const norm = s.rounded(fround(sqrt(sumOfSquares(length, (i) => update[i]!))));
  const divisor = s.rounded(norm < s.eps ? s.eps : norm);
  return update.map((x) => s.rounded(fround(x / divisor)));
}

/** a x + (b A + c A A) x, where A = x x'. */
function iterate(s: Scalars, x: Float32Array, rows: number, columns: number): Float32Array {
  const gram = product(x, transposed(x, rows, columns), rows, rows, columns).map(s.rounded);
  const square = product(gram, gram, rows, rows, rows);
  const inner = square.map((y, i) => s.rounded(fma(s.b, gram[i]!, fround(s.c * y))));
  const outer = product(inner, x, rows, columns, rows);
  return outer.map((y, i) => s.rounded(fma(s.a, x[i]!, y)));
}

/** Every element is a chain of fused multiply-adds in the order of the inner index. */
function product(
  a: Float32Array,
  b: Float32Array,
  rows: number,
  columns: number,
  depth: number,
): Float32Array {
  const c = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < depth; k++) {
      const factor = a[i * depth + k]!;
      for (let j = 0; j < columns; j++) {
        const at = i * columns + j;
        c[at] = fma(factor, b[k * columns + j]!, c[at]!);
      }
    }
  }
  return c;
}

function transposed(from: Float32Array, rows: number, columns: number): Float32Array {
  return from.map((_, i) => from[(i % rows) * columns + Math.floor(i / rows)]!);
}

function ratioOf(s: Scalars, rows: number, columns: number): number {
  if (s.adjust === MATCH_RMS_ADAMW) return 0.2 * sqrt(max(rows, columns));
  const ratio = rows / columns;
  return sqrt(s.adjust === ORIGINAL && ratio < 1 ? 1 : ratio);
}
