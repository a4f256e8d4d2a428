/** Any order of calls on an average does what a few lines over plain arrays do. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EMA, GradstepError, Parameter, ParameterArena } from '../../lib/index.ts';
import { onEachBackend } from '../support/helpers.ts';

const { fround } = Math;
const DECAY = 0.875;

/** One parameter of two values, its average, and what is kept while it holds the average. */
class Model {
  values = [0, 0];
  average = [0, 0];
  kept: number[] | undefined;
  updates = 0;

  update(): boolean {
    if (this.kept !== undefined) return false;
    const mix = (value: number, i: number) =>
      fround(fround(DECAY * this.average[i]!) + fround((1 - DECAY) * value));
    this.average = this.updates === 0 ? [...this.values] : this.values.map(mix);
    this.updates += 1;
    return true;
  }

  swap(): boolean {
    if (this.kept !== undefined) return false;
    this.kept = this.values;
    this.values = [...this.average];
    return true;
  }

  restore(): boolean {
    if (this.kept === undefined) return false;
    this.values = this.kept;
    this.kept = undefined;
    return true;
  }
}

const call = fc.constantFrom('update', 'swap', 'restore');
const command = fc.oneof(
  call.map((name) => ({ name })),
  fc.record({
    name: fc.constantFrom('write', 'replace'),
    values: fc.array(fc.float(), { minLength: 2, maxLength: 2 }),
  }),
);

onEachBackend(() => {
  it.each(['loose', 'arena'])('%s', (where) => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const w =
          where === 'arena'
            ? new ParameterArena([[3], [2]]).parameters[1]!
            : new Parameter(new Float32Array(2));
        const ema = new EMA([w], { decay: DECAY, form: 'mulAdd' });
        const model = new Model();
        for (const { name, ...given } of commands) {
          if ('values' in given) {
            if (name === 'replace' && where === 'loose') w.data = new Float32Array(2);
            w.data.set(given.values);
            model.values = [...given.values];
          } else {
            const method = name as 'update' | 'swap' | 'restore';
            expect(succeeds(() => ema[method]())).toBe(model[method]());
          }
          expect([...w.data]).toEqual(model.values);
          expect([...ema.averages.get(w)!]).toEqual(model.average);
          expect([ema.nAveraged, ema.swapped]).toEqual([model.updates, model.kept !== undefined]);
        }
        ema.dispose();
        model.restore();
        expect([...w.data]).toEqual(model.values);
      }),
    );
  });
});

function succeeds(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof GradstepError && error.code === 'ERR_SWAPPED') return false;
    throw error;
  }
}
