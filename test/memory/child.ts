/** Programs that are watched from outside: how much memory each takes at most. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BackendName } from '../../lib/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a program may use: the package, `rss()` in bytes, and `turn()`, which collects garbage. */
const PROLOGUE = `
import * as gradstep from 'gradstep';
import { setTimeout } from 'node:timers/promises';
const { Adam, SGD, EMA, Parameter, ParameterArena } = gradstep;
const rss = () => process.memoryUsage.rss();
const turn = async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await setTimeout(20); // finalizers run when the loop turns
  }
};
`;

/** What a program says with `say(value)`, once. Run with `--expose-gc` only where it is asked for. */
export function run(body: string, backend: BackendName, { gc = false } = {}): unknown {
  const source = `${PROLOGUE}
gradstep.setBackend('${backend}');
const say = (value) => console.log(JSON.stringify(value));
${body}`;
  const flags = [...(gc ? ['--expose-gc'] : []), '--input-type=module', '--eval', source];
  return JSON.parse(execFileSync(process.execPath, flags, { cwd: root, encoding: 'utf8' }));
}

/** The bytes that a program had at most. */
export function peak(body: string, backend: BackendName): number {
  return 1024 * (run(`${body}\nsay(process.resourceUsage().maxRSS);`, backend) as number);
}

/**
 * The least of up to three measurements, the first that is within the bound: what else a machine
 * does adds to a measurement, and takes nothing away.
 */
export function least(bound: number, measure: () => number): number {
  let result = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && result > bound; i++) result = Math.min(result, measure());
  return result;
}
