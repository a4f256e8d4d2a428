/** A run that is loaded goes on bit for bit as the one that was not interrupted. */

import { afterAll, describe, expect, it } from 'vitest';
import { backend, EMA, isa, ParameterArena, setBackend, setIsa } from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { bitsOf, goTo, PLACES, ROWS, Run } from './runs.ts';

const before = { backend: backend(), isa: isa() };
afterAll(() => {
  setBackend(before.backend);
  if (before.backend === 'native') setIsa(before.isa);
});

const END = 12;

/** The uninterrupted run: everything after each step. */
function whole(run: Run, cut: number): unknown[] {
  run.step(1, cut).edit();
  return Array.from({ length: END - cut }, (_, i) => run.step(cut + i, cut + i + 1).snapshot());
}

describe.each(ROWS.map((row) => [row.name, row] as const))('%s', (_name, row) => {
  const optionSets = [
    ['defaults', {}],
    ['every state', row.withState],
    ['other options', row.other],
  ] as const;

  it.each(optionSets)('is resumed from every place at every place: %s', (_what, options) => {
    goTo(PLACES[0]!);
    for (const cut of [2, 5]) {
      const uninterrupted = whole(new Run(row, options), cut);
      for (const from of PLACES) {
        goTo(from);
        const first = new Run(row, options).step(1, cut).edit();
        const dict = structuredClone(first.optimizer.stateDict());
        for (const to of PLACES) {
          goTo(to);
          const second = new Run(row, {}, { start: first });
          expect(second.optimizer.loadStateDict(dict)).toEqual(NOTHING);
          expect(bitsOf(second.optimizer.stateDict())).toEqual(bitsOf(dict));
          for (let step = cut; step < END; step++) {
            const after = second.step(step, step + 1).snapshot();
            expect(after, `${from} to ${to}, step ${step}`).toEqual(uninterrupted[step - cut]);
          }
        }
      }
    }
  });

  it('goes back to an earlier state of its own', () => {
    goTo(PLACES.at(-1)!);
    const run = new Run(row, row.withState).step(1, 4);
    const [dict, start] = [run.optimizer.stateDict(), run.params.map(({ data }) => data.slice())];
    const once = run.step(4, 8).edit().step(8, 9).snapshot();
    run.optimizer.loadStateDict(dict);
    for (const [i, { data }] of run.params.entries()) data.set(start[i]!);
    expect(bitsOf(run.optimizer.stateDict())).toEqual(bitsOf(dict));
    expect(run.step(4, 8).edit().step(8, 9).snapshot()).toEqual(once);
  });

  it('forgets state that the dict does not have', () => {
    for (const place of PLACES) {
      goTo(place);
      const used = new Run(row, row.other).step(1, 6).edit();
      const fresh = new Run(row, row.withState);
      const dict = fresh.optimizer.stateDict();
      used.optimizer.loadStateDict(dict);
      for (const [i, { data }] of used.params.entries()) data.set(fresh.params[i]!.data);
      expect(used.step(1, 6).snapshot()).toEqual(fresh.step(1, 6).snapshot());
    }
  });

  it('keeps what is infinite, NaN or subnormal', () => {
    for (const place of PLACES) {
      goTo(place);
      const run = new Run(row, row.withState, { kind: 'special' }).step(1, 4);
      const other = new Run(row, {}, { kind: 'special', start: run });
      other.optimizer.loadStateDict(run.optimizer.stateDict());
      expect(bitsOf(other.step(4, 8).snapshot())).toEqual(bitsOf(run.step(4, 8).snapshot()));
    }
  });

  it('is resumed in an arena, with an average attached, from views', () => {
    for (const place of PLACES) {
      goTo(place);
      const make = () => {
        const arena = new ParameterArena({ a: [3, 5], b: [5] });
        const optimizer = row.make([...arena.parameters], row.withState);
        return { arena, optimizer, ema: new EMA(arena.parameters).attach(optimizer as never) };
      };
      const step = ({ arena, optimizer }: ReturnType<typeof make>, from: number, to: number) => {
        for (let i = from; i < to; i++) {
          for (const [k, p] of arena.parameters.entries()) {
            fill(p.ensureGrad() as Float32Array, 'normal', 3, i, k);
          }
          optimizer.step();
        }
      };
      const [one, two] = [make(), make()];
      step(one, 1, 5);
      step(two, 1, 3);
      two.arena.data.set(one.arena.data);
      two.optimizer.loadStateDict(one.optimizer.stateDict({ copy: false }));
      for (const [i, p] of two.arena.parameters.entries()) {
        two.ema.averages.get(p)!.set(one.ema.averages.get(one.arena.parameters[i]!)!);
      }
      two.ema.nAveraged = one.ema.nAveraged;
      step(one, 5, 9);
      step(two, 5, 9);
      expect(bitsOf([...two.ema.averages.values()])).toEqual(
        bitsOf([...one.ema.averages.values()]),
      );
      expect(bitsOf(two.optimizer.stateDict())).toEqual(bitsOf(one.optimizer.stateDict()));
      expect(bitsOf(two.arena.data)).toEqual(bitsOf(one.arena.data));
    }
  });
});

const NOTHING = { missing: [], unexpected: [], mismatched: [] };
