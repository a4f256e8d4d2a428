/** Parameters that come, go and change places in any order: native as portable, bit for bit. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Adam, type AdamState, Parameter, ParameterArena, setBackend } from '../../lib/index.ts';
import { bits } from '../support/helpers.ts';

const at = fc.nat(1000);
const call = fc.oneof(
  fc.record({ name: fc.constant('step' as const) }),
  fc.record({
    name: fc.constant('add' as const),
    lengths: fc.array(fc.nat(1500), { maxLength: 3 }),
  }),
  fc.record({
    name: fc.constant('addArena' as const),
    lengths: fc.array(fc.nat(40), { maxLength: 4 }),
  }),
  fc.record({ name: fc.constant('remove' as const), which: fc.array(at, { maxLength: 3 }) }),
  fc.record({ name: fc.constant('keep' as const), at }),
  fc.record({ name: fc.constant('reset' as const), at, length: fc.nat(1500) }),
  fc.record({ name: fc.constant('gather' as const), at, length: fc.nat(90) }),
  fc.record({ name: fc.constant('resetState' as const), which: fc.array(at, { maxLength: 3 }) }),
  fc.record({ name: fc.constant('amsgrad' as const), at, value: fc.boolean() }),
  fc.record({ name: fc.constant('override' as const), at, value: fc.boolean() }),
  fc.record({ name: fc.constant('frozen' as const), at, value: fc.boolean() }),
  fc.record({ name: fc.constant('hold' as const), at }),
);
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

/** What an optimizer has after these calls; the same calls give the same numbers. */
class Run {
  readonly #o = new Adam([], { lr: 0.1 });
  #made = 0;
  /** State that was handed out of parameters that have gone since. */
  readonly #held: [array: Float32Array<ArrayBufferLike>, before: number[]][] = [];

  get #params(): Parameter[] {
    return this.#o.paramGroups.flatMap(({ params }) => params as Parameter[]);
  }

  #fill(p: Parameter): Parameter {
    const seed = ++this.#made;
    for (let i = 0; i < p.length; i++) p.data[i] = Math.sin(seed + i);
    p.ensureGrad().forEach((_, i, grad) => {
      grad[i] = Math.cos(seed * 3 + i);
    });
    return p;
  }

  #fresh = (length: number) => this.#fill(Parameter.zeros([length]));

  /** Holds what the state of a parameter is that will go. */
  #letGo(p: Parameter): void {
    const state = this.#o.state.get(p) as AdamState | undefined;
    for (const array of Object.values(state ?? {})) {
      if (typeof array !== 'number') this.#held.push([array, bits(array)]);
    }
  }

  do(call: Call): unknown {
    const [o, params] = [this.#o, this.#params];
    const pick = (n: number) => params[n % params.length];
    const [group, p] =
      'at' in call ? [o.paramGroups[call.at % o.paramGroups.length], pick(call.at)] : [];
    switch (call.name) {
      case 'step':
        return o.step();
      case 'add':
        return o.addParamGroup({ params: call.lengths.map(this.#fresh) });
      case 'addArena': {
        const { parameters } = new ParameterArena(call.lengths.map((length) => [length]));
        for (const parameter of parameters) this.#fill(parameter);
        return o.addParamGroup({ params: parameters });
      }
      case 'remove': {
        const gone = new Set(call.which.map(pick).filter((parameter) => parameter !== undefined));
        for (const parameter of gone) if (this.#made % 2 === 0) this.#letGo(parameter);
        return o.removeParameters(gone);
      }
      case 'resetState':
        return o.resetState(call.which.map(pick).filter((parameter) => parameter !== undefined));
    }
    if (group === undefined || p === undefined) return undefined;
    const place = (i: number) => ((i * 7) % (p.length + 1)) - 1;
    switch (call.name) {
      case 'keep':
        return o.replaceParameter(p, this.#fresh(p.length));
      case 'reset':
        this.#letGo(p);
        return o.replaceParameter(p, this.#fresh(call.length), { state: 'reset' });
      case 'gather': {
        const index = Array.from({ length: call.length }, (_, i) => place(i));
        return o.replaceParameter(p, this.#fresh(call.length), { index });
      }
      case 'override':
        return o.override(p, call.value ? { amsgrad: true, lr: 0.5 } : null);
      case 'hold':
        return o.state.get(p);
      default:
        return Object.assign(group, { [call.name]: call.value });
    }
  }

  /** Everything that a user can see of it. */
  look(): unknown {
    for (const [array, before] of this.#held) expect(bits(array)).toEqual(before);
    return this.#params.map((p) => [
      bits(p.data),
      Object.entries(this.#o.state.get(p) ?? {}).map(([name, value]) => [
        name,
        typeof value === 'number' ? value : bits(value),
      ]),
    ]);
  }
}

it('gives the same on both backends, and leaves what was handed out alone', () => {
  const calls = fc.array(call, { minLength: 5, maxLength: 40 });
  fc.assert(
    fc.property(calls, (list) => {
      const looks = (['native', 'portable'] as const).map((backend) => {
        setBackend(backend);
        const run = new Run();
        return list.map((one) => {
          run.do(one);
          return run.look();
        });
      });
      setBackend('native');
      expect(looks[0]).toEqual(looks[1]);
    }),
    { numRuns: 60 },
  );
});
