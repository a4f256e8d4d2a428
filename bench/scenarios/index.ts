/** Every row of the benchmark, in the order of its tables. */

import type { Scenario } from '../bench.ts';
import { flat, lenet, many, resnet50 } from '../workload.ts';
import { clipping } from './clipping.ts';
import { denormals } from './denormals.ts';
import { groups } from './groups.ts';
import { list } from './list.ts';
import { allAtOnce } from './step-all.ts';

export interface Row {
  readonly name: string;
  readonly quick: boolean;
  readonly run: Scenario;
}

const small = [1e4, 1e5, 1e6, 1e7].map(flat);
const lists = [lenet, many(161, 16), many(1_000, 1_000)];

export const rows: readonly Row[] = [
  ...small.map((work) => ({ name: work.name, quick: true, run: list(work) })),
  { name: '1e8', quick: false, run: list(flat(1e8)) },
  ...lists.map((work) => ({ name: work.name, quick: true, run: list(work) })),
  { name: resnet50.name, quick: false, run: list(resnet50) },
  { name: '10,000 groups', quick: true, run: groups },
  { name: '1,000 optimizers', quick: true, run: allAtOnce },
  ...[1e5, 1e6, 1e7].map(flat).map((work) => ({
    name: `${work.name}, clipped`,
    quick: work.name === '1e6',
    run: clipping(work),
  })),
  { name: 'subnormal', quick: true, run: denormals(flat(1e5)) },
];
