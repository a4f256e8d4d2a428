/** State dicts that are wrong in a known way, and loads that come at a bad moment. */

import { describe, expect, it } from 'vitest';
import { combine, EMA, GradstepError, Optimizer, option } from '../../lib/index.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';
import { bitsOf, type Dict, ROWS, Run, replaceAt } from './runs.ts';

onEachBackend(() => {
  describe('a state dict', () => {
    const make = () => {
      const run = new Run(ROWS.find(({ name }) => name === 'NAdam')!, {}).step(1, 4);
      return [run, structuredClone(run.optimizer.stateDict()) as unknown as Dict] as const;
    };

    it.each([
      [
        ['state', '0', 'step'],
        Number.NaN,
        "Expected step in the state of parameter 'p0' (group 0)",
      ],
      [['state', '0', 'step'], 1.5, 'to be an integer >= 1 but received 1.5'],
      [['state', '0', 'step'], 0, 'to be an integer >= 1 but received 0'],
      [['state', '0', 'step'], 2 ** 53, 'to be an integer >= 1'],
      [['state', '0', 'muProduct'], Infinity, "muProduct in the state of parameter 'p0' (group 0)"],
      [
        ['state', '1', 'expAvg'],
        new Float32Array(4),
        'Float32Array of length 5 but received Float32Array(4)',
      ],
      [['state', '1', 'expAvg'], [1, 2, 3, 4, 5], 'to be a Float32Array of length 5'],
      [['state', '7'], { step: 1 }, 'Unexpected in the state dict: state 7'],
      [['state', '0', 'momentum'], 1, "but received 'momentum'"],
      [
        ['paramGroups', '1', 'params', '0'],
        1,
        'an id of a parameter to be an integer >= 0 that stands there once',
      ],
      [
        ['paramGroups', '0', 'frozen'],
        1,
        'Expected frozen of a group to be a boolean but received 1 (group 0 of the state dict)',
      ],
      [['paramGroups', '0', 'lr'], -1, 'Invalid learning rate: -1'],
      [['paramGroups', '0', 'betas'], [0.9, 1], 'Invalid beta parameter at index 1'],
      [
        ['paramGroups', '0', 'initialValues', 'lr'],
        'x',
        'initialValues to be an object of numbers',
      ],
      [['parameters', '0', 'shape'], [2, 9], 'a shape of 19 values'],
      [
        ['parameters', '0', 'overrides'],
        { lr: Number.NaN },
        "(override of parameter 'p0' (group 0))",
      ],
      [['stepOptions', 'gradScale'], 'much', 'Invalid gradScale value'],
      [['skips'], [1], 'skips to be two integers'],
      [['type'], 'Adam', 'Expected the state dict of NAdam but received that of Adam'],
    ])('with another %s is refused', (path, value, text) => {
      const [run, dict] = make();
      const before = bitsOf(run.optimizer.stateDict());
      replaceAt(dict, path, (holder, key) => {
        holder[key] = value;
      });
      let error: unknown;
      try {
        run.optimizer.loadStateDict(dict as never);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(GradstepError);
      expect((error as Error).message).toContain(text);
      expect(bitsOf(run.optimizer.stateDict())).toEqual(before);
    });

    it.each([
      ['null', null],
      ['a number', 3],
      ['an array', []],
      ['nothing', {}],
      ['an array of numbers', new Float32Array(3)],
    ])('is not %s', (_what, dict) => {
      const [run] = make();
      expectError(() => run.optimizer.loadStateDict(dict as never), 'ERR_STATE_DICT', 'Expected');
    });

    it("is not PyTorch's as it is", () => {
      const [run] = make();
      const dict = { state: {}, param_groups: [] } as never;
      expectError(() => run.optimizer.loadStateDict(dict), 'ERR_STATE_DICT', "is it PyTorch's?");
    });

    it('needs options that there are', () => {
      const [run, dict] = make();
      const load = (options: unknown) =>
        run.optimizer.loadStateDict(dict as never, options as never);
      expectError(() => load({ strict: 1 }), 'ERR_INVALID_ARGUMENT', 'strict to be true or false');
      expectError(() => load({ options: 'all' }), 'ERR_INVALID_ARGUMENT', "'load' or 'keep'");
      expectError(() => load({ stric: true }), 'ERR_INVALID_ARGUMENT', "'stric'");
      expectError(() => load(null), 'ERR_INVALID_ARGUMENT', 'an object');
      expectError(
        () => run.optimizer.stateDict({ copy: 1 as never }),
        'ERR_INVALID_ARGUMENT',
        'copy to be true or false',
      );
    });

    it('is read once, and cannot change its mind or act meanwhile', () => {
      const [run, dict] = make();
      const state = (dict.state as Dict)['1'] as Dict;
      let reads = 0;
      const { expAvg } = state;
      for (const act of ['step', 'dispose', 'zeroGrad', 'resetState', 'stateDict'] as const) {
        Object.defineProperty(state, 'expAvg', {
          configurable: true,
          enumerable: true,
          get() {
            reads += 1;
            run.optimizer[act]();
            return expAvg;
          },
        });
        expectError(() => run.optimizer.loadStateDict(dict as never), 'ERR_BUSY', 'state dict');
      }
      Object.defineProperty(state, 'expAvg', {
        enumerable: true,
        get: () => (reads++ > 5 ? new Float32Array(1) : expAvg),
      });
      run.optimizer.loadStateDict(dict as never);
      expect(reads).toBe(6);
    });

    it('whose memory is taken away by a getter is refused, also when another one runs it', () => {
      const [run, dict] = make();
      const [other, otherDict] = make();
      const both = combine([run.optimizer as never, other.optimizer as never]);
      const before = bitsOf(both.stateDict());
      const { expAvg } = (dict.state as { 0: { expAvg: Float32Array<ArrayBuffer> } })[0];
      Object.defineProperty(other.params[3], 'shape', {
        configurable: true,
        get: () => void structuredClone(expAvg.buffer, { transfer: [expAvg.buffer] }),
      });
      const given = { type: 'CombinedOptimizer', optimizers: [dict, otherDict] } as never;
      expectError(() => both.loadStateDict(given), 'ERR_DETACHED', 'meanwhile');
      Object.defineProperty(other.params[3], 'shape', { value: [33] });
      expect(bitsOf(both.stateDict())).toEqual(before);
    });

    it('that contains itself is refused', () => {
      const [run, dict] = make();
      dict.self = dict;
      expectError(() => run.optimizer.loadStateDict(dict as never), 'ERR_STATE_DICT', 'itself');
    });

    it('has keys that a prototype has', () => {
      const [run, dict] = make();
      const text = '{ "__proto__": { "step": 1 }, "constructor": { "step": 1 } }';
      dict.state = { ...(dict.state as object), ...(JSON.parse(text) as object) };
      Object.defineProperty(dict.state, '__proto__', { value: { step: 1 }, enumerable: true });
      expectError(() => run.optimizer.loadStateDict(dict as never), 'ERR_STATE_DICT', '__proto__');
    });
  });

  it('all of combined optimizers change, or none', () => {
    const rows = ROWS.slice(0, 3);
    const make = () => {
      const runs = rows.map((row) => new Run(row, row.withState).step(1, 3));
      return [runs, combine(runs.map(({ optimizer }) => optimizer as never))] as const;
    };
    const [, source] = make();
    source.step();
    const [runs, target] = make();
    const before = bitsOf(target.stateDict());
    const dict = structuredClone(source.stateDict());
    const last = dict.optimizers[2] as unknown as { state: Record<string, { step: number }> };
    last.state[0]!.step = 0.5;
    expectError(() => target.loadStateDict(dict), 'ERR_STATE_DICT', 'received 0.5');
    expect(bitsOf(target.stateDict())).toEqual(before);
    last.state[0]!.step = 3;
    Object.defineProperty(runs[2]!.params[0], 'shape', { get: () => runs[0]!.optimizer.dispose() });
    expectError(() => target.loadStateDict(dict), 'ERR_DISPOSED', 'loadStateDict');
    expect(bitsOf(runs[1]!.optimizer.stateDict())).toMatchObject({
      state: (before as { optimizers: Dict[] }).optimizers[1]!.state!,
    });
  });

  it("changes nothing where a user's own kind of option fails to be written", () => {
    class Fussy extends Optimizer<{ lr?: number; luck?: number }, { step: number }> {
      static defaults = {
        lr: 0.5,
        luck: {
          ...option.number(1),
          write(struct: Float64Array<ArrayBufferLike>, at: number, value: number) {
            if (value === 13) throw new RangeError('unlucky');
            struct[at] = value;
          },
        },
      };
      override update() {}
    }
    const optimizer = new Fussy([parameter(), parameter()]);
    const dict = structuredClone(optimizer.stateDict()) as unknown as Dict;
    const before = bitsOf(dict);
    const set = (path: string[], value: unknown) =>
      replaceAt(dict, path, (holder, key) => {
        holder[key] = value;
      });
    set(['paramGroups', '0', 'lr'], 2);
    set(['parameters', '1', 'overrides'], { luck: 13 });
    expect(() => optimizer.loadStateDict(dict as never)).toThrow('unlucky');
    set(['parameters', '1', 'overrides'], {});
    set(['paramGroups', '0', 'luck'], 13);
    expect(() => optimizer.loadStateDict(dict as never)).toThrow('unlucky');
    expect(bitsOf(optimizer.stateDict())).toEqual(before);
  });

  it('is neither given nor loaded while it must not be', async () => {
    const p = parameter(3, 'w');
    const run = new Run(ROWS[1]!, {}).step(1, 3);
    const dict = run.optimizer.stateDict();
    const ema = new EMA([p]);
    const average = ema.stateDict();
    ema.swap();
    expectError(() => ema.stateDict(), 'ERR_SWAPPED', 'restore()');
    expectError(() => ema.loadStateDict(average), 'ERR_SWAPPED', 'restore()');
    run.optimizer.step(() => {
      run.optimizer.loadStateDict(dict); // before the update: allowed, as torch allows it
    });
    run.optimizer.dispose();
    expectError(() => run.optimizer.stateDict(), 'ERR_DISPOSED', 'stateDict');
    expectError(() => run.optimizer.loadStateDict(dict), 'ERR_DISPOSED', 'loadStateDict');
    ema.dispose();
    expectError(() => ema.stateDict(), 'ERR_DISPOSED', 'stateDict');
  });
});
