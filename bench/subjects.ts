/** The subjects of gradstep itself, and the limits over the same memory. */

import type { Optimizer } from 'gradstep';
import type { Bench } from './bench.ts';
import { type Subject, subject } from './measure.ts';
import {
  arraysOf,
  type Layout,
  makeOptimizer,
  makeParameters,
  type OptimizerName,
} from './model.ts';
import { SUBJECTS } from './results.ts';
import { valuesOf, type Workload } from './workload.ts';

/** An optimizer as a subject; closing it disposes of it. */
export function stepping(name: string, optimizer: Optimizer): Subject {
  return subject(
    name,
    () => optimizer.step(),
    () => optimizer.dispose(),
  );
}

/** A whole list of parameters in one group. */
export function listed(workload: Workload, name: OptimizerName, layout: Layout): Subject {
  const optimizer = makeOptimizer(name, makeParameters(workload.lengths, layout));
  return stepping(SUBJECTS[layout], optimizer);
}

/** A step over one parameter of no values: what a call costs. */
export function emptyStep(name: OptimizerName): Subject {
  return stepping(SUBJECTS.empty, makeOptimizer(name, makeParameters([0], 'arena')));
}

/** One aligned parameter of as many values as the workload, and what bounds its step. */
export interface Flat {
  readonly optimizer: Optimizer;
  readonly step: Subject;
  /** Stream and, where the optimizer divides, divider: with so many threads, over its arrays. */
  limits(threads: number): Subject[];
}

export function openFlat(bench: Bench, workload: Workload, name: OptimizerName): Flat {
  const { limits, isa } = bench;
  const values = valuesOf(workload);
  const [parameter] = makeParameters([values], 'arena');
  const optimizer = makeOptimizer(name, [parameter!]);
  const arrays = arraysOf(optimizer, parameter!);
  return {
    optimizer,
    step: stepping(SUBJECTS.flat, optimizer),
    limits(threads) {
      const stream = {
        name: SUBJECTS.stream,
        run: (steps: number) => limits.stream(isa, threads, steps, arrays, 0),
      };
      const divider = {
        name: SUBJECTS.divider,
        run: (steps: number) => limits.divide(isa, threads, steps, values)[0],
      };
      return name === 'AdamW' ? [stream, divider] : [stream];
    },
  };
}
