/** Hooks around steps: of one optimizer, and of all. */

import { afterEach, describe, expect, it } from 'vitest';
import {
  Adam,
  type HookHandle,
  Parameter,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  SGD,
  type StepPreHook,
} from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

const handles: HookHandle[] = [];

/** Global hooks outlive a test that fails, unless they are kept here. */
const keep = (handle: HookHandle) => {
  handles.push(handle);
  return handle;
};

afterEach(() => {
  for (const handle of handles.splice(0)) handle.remove();
});

onEachBackend(() => {
  it('run in torch’s order: global pre, own pre, closure, step, own post, global post', () => {
    const log: string[] = [];
    const w = new Parameter([1]);
    const o = new SGD([w], { lr: 1 });
    const note = (what: string) => (optimizer: unknown) => {
      expect(optimizer).toBe(o);
      log.push(`${what} ${w.data[0]}`);
    };
    o.registerStepPostHook(note('post'));
    o.registerStepPreHook(note('pre'));
    o.registerStepPreHook(note('pre 2'));
    keep(registerOptimizerStepPostHook(note('global post')));
    keep(registerOptimizerStepPreHook(note('global pre')));
    const loss = o.step(() => {
      log.push('closure');
      w.ensureGrad()[0] = 1;
      return 7;
    });
    expect(loss).toBe(7);
    const before = ['global pre 1', 'pre 1', 'pre 2 1', 'closure'];
    expect(log).toEqual([...before, 'post 0', 'global post 0']);
  });

  it('add up as in torch’s test_step_all_hooks, and go away with their handles', () => {
    let data: number[] = [];
    const push = (value: number) => () => void data.push(value);
    const o = new SGD([parameter()]);
    const global = [
      keep(registerOptimizerStepPreHook(push(0))),
      keep(registerOptimizerStepPostHook(push(5))),
    ];
    const own = [o.registerStepPreHook(push(1)), o.registerStepPostHook(push(2))];
    o.step();
    expect(data).toEqual([0, 1, 2, 5]);
    own[0]!.remove();
    own[0]!.remove();
    global[1]!.remove();
    data = [];
    o.step();
    expect(data).toEqual([0, 2]);
    for (const handle of [...own, ...global]) handle.remove();
    o.step();
    expect(data).toEqual([0, 2]);
  });

  it('belong to one optimizer, or to all', () => {
    let [own, global] = [0, 0];
    const [o, other] = [new SGD([parameter()]), new Adam([parameter()])];
    o.registerStepPostHook(() => own++);
    keep(registerOptimizerStepPostHook(() => global++));
    o.step();
    other.step();
    expect([own, global]).toEqual([1, 2]);
  });

  describe('a pre hook', () => {
    it('may replace the closure, or take it away', () => {
      const o = new SGD([parameter()]);
      const seen: number[] = [];
      const first = o.registerStepPreHook((_o, args) => {
        seen.push(args.length);
        return [() => 2];
      });
      const second = o.registerStepPreHook((_o, [closure]) => [() => Number(closure!()) * 10]);
      o.registerStepPostHook((_o, [closure]) => seen.push(Number(closure?.())));
      expect(o.step(() => 1)).toBe(20);
      expect((o.step as () => unknown)()).toBe(20);
      second.remove();
      first.remove();
      o.registerStepPreHook(() => []);
      expect(o.step(() => 1)).toBeUndefined();
      expect(seen).toEqual([1, 20, 0, 20, Number.NaN]);
    });

    it.each<[what: string, hook: () => unknown, text: string]>([
      ['a number', () => 5, 'got 5'],
      ['a closure', () => () => 1, 'got a function'],
      ['two arguments', () => [1, 2], 'got [1, 2]'],
      ['a promise', async () => Promise.reject(new Error('never seen')), 'got a promise'],
    ])('must not return %s', async (_what, hook, text) => {
      const w = parameter();
      const o = new SGD([w]);
      const before = bits(w.data);
      const handle = o.registerStepPreHook(hook as StepPreHook);
      const message = 'must return None or a tuple of (new_args, new_kwargs)';
      expectError(() => o.step(), 'ERR_INVALID_ARGUMENT', message);
      expectError(() => o.step(), 'ERR_INVALID_ARGUMENT', text);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(bits(w.data)).toEqual(before);
      handle.remove();
      o.step();
      expect(bits(w.data)).not.toEqual(before);
    });

    it('may give a closure that is refused as any other', () => {
      const o = new SGD([parameter()]);
      o.registerStepPreHook(() => [5 as never]);
      expectError(() => o.step(), 'ERR_INVALID_ARGUMENT', 'Expected closure');
    });

    it('changes nothing when it throws, and the next step goes on', () => {
      const w = parameter();
      const o = new Adam([w]);
      const before = bits(w.data);
      let calls = 0;
      const failing = o.registerStepPreHook(() => {
        throw new RangeError('mine');
      });
      o.registerStepPreHook(() => void calls++);
      const closure = () => calls++;
      expect(() => o.step(closure)).toThrow(RangeError);
      expect(calls).toBe(0);
      expect(bits(w.data)).toEqual(before);
      expect(o.state.size).toBe(0);
      failing.remove();
      o.step();
      expect(o.state.get(w)!.step).toBe(1);
    });

    it('sets options and gradients for the step, and may add groups', () => {
      const [w, late] = [new Parameter([1]), new Parameter([1])];
      const o = new SGD([w], { lr: 1 });
      const handle = o.registerStepPreHook((optimizer) => {
        optimizer.paramGroups[0]!.lr = 0.5;
        w.ensureGrad()[0] = 1;
        late.ensureGrad()[0] = 1;
        optimizer.addParamGroup({ params: late });
        handle.remove();
      });
      o.step();
      expect([w.data[0], late.data[0]]).toEqual([0.5, 0]);
    });
  });

  it('a post hook may forget the gradients; when it throws, the step is done', () => {
    const w = new Parameter([1], { grad: Float32Array.of(1) });
    const o = new SGD([w], { lr: 1 });
    let later = 0;
    const handle = o.registerStepPostHook((optimizer) => {
      optimizer.zeroGrad();
      throw new RangeError('mine');
    });
    o.registerStepPostHook(() => later++);
    expect(() => o.step()).toThrow(RangeError);
    expect([w.data[0], w.grad, later]).toEqual([0, null, 0]);
    handle.remove();
    o.step();
    expect(later).toBe(1);
  });

  it('cannot step, and can step another optimizer', () => {
    const [w, v] = [parameter(), parameter()];
    const [o, other] = [new SGD([w]), new SGD([v])];
    const before = bits(w.data);
    for (const kind of ['registerStepPreHook', 'registerStepPostHook'] as const) {
      const handle = o[kind](() => void o.step());
      expectError(() => o.step(), 'ERR_BUSY', 'inside a step of the same optimizer');
      handle.remove();
    }
    expect(bits(w.data)).not.toEqual(before); // the post hook came after its step
    o.registerStepPreHook(() => void other.step());
    o.step();
    expect(bits(v.data)).not.toEqual(before);
  });

  it('that dispose end the step with ERR_DISPOSED before it, and quietly after it', () => {
    const w = parameter();
    const before = bits(w.data);
    const o = new SGD([w]);
    o.registerStepPreHook((optimizer) => optimizer.dispose());
    expectError(() => o.step(), 'ERR_DISPOSED', 'disposed');
    expect(bits(w.data)).toEqual(before);
    const after = new SGD([w]);
    after.registerStepPostHook(() => after.dispose());
    after.step();
    expect(bits(w.data)).not.toEqual(before);
    expectError(() => after.step(), 'ERR_DISPOSED', 'disposed');
  });

  it('that are registered in a step wait for the next; removed ones do not run any more', () => {
    const o = new SGD([parameter()]);
    const log: string[] = [];
    o.registerStepPreHook(() => {
      log.push('a');
      second.remove();
      o.registerStepPreHook(() => void log.push('late'));
    });
    const second = o.registerStepPreHook(() => void log.push('b'));
    o.step();
    expect(log).toEqual(['a']);
    o.step();
    expect(log).toEqual(['a', 'a', 'late']);
  });

  it('may be the same function twice, removed one by one', () => {
    const o = new SGD([]);
    let calls = 0;
    const hook = () => void calls++;
    const [first] = [o.registerStepPreHook(hook), o.registerStepPreHook(hook)];
    o.step();
    expect(calls).toBe(2);
    first!.remove();
    o.step();
    expect(calls).toBe(3);
  });
});

it('are refused unless they are functions', () => {
  const o = new SGD([]);
  const wrong = 'hook' as unknown as StepPreHook;
  const registrations = [
    () => o.registerStepPreHook(wrong),
    () => o.registerStepPostHook(wrong),
    () => registerOptimizerStepPreHook(wrong),
    () => registerOptimizerStepPostHook(wrong),
  ];
  for (const register of registrations) {
    expectError(
      register,
      'ERR_INVALID_ARGUMENT',
      "Expected hook to be a function but received 'hook'",
    );
  }
  o.step();
});
