/** How many cores a process may use, on machines that are files here. */

import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { usableCores } from '../../lib/backend/cores.ts';

/** A machine whose processors pair up as given, of which the process may use those of `allowed`. */
function machine(allowed: string, siblings: readonly string[] = [], files = {}) {
  const all: Record<string, string> = {
    '/proc/self/status': `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${allowed}\nMems:\t1`,
    ...files,
  };
  siblings.forEach((list, cpu) => {
    all[`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`] = list;
  });
  return (path: string) => all[path] ?? '';
}

const v2 = (max: string) => ({ '/sys/fs/cgroup/cpu.max': max });
const v1 = (share: string, period: string) => ({
  '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': share,
  '/sys/fs/cgroup/cpu/cpu.cfs_period_us': period,
});
/** Four cores of two hardware threads each, numbered as Linux does. */
const PAIRS = ['0,4', '1,5', '2,6', '3,7', '0,4', '1,5', '2,6', '3,7'];

describe('affinity', () => {
  it.each([
    ['0-3', 4],
    ['0', 1],
    ['0-2,5,8-9', 6],
    ['7,9', 2],
  ])('%s', (allowed, expected) => {
    expect(usableCores(machine(allowed), 64)).toBe(expected);
  });
});

describe('hardware threads of one core count once', () => {
  it.each([
    ['0-7', 4],
    ['0,4', 1],
    ['0,1,5', 2],
    ['4-7', 4],
  ])('%s', (allowed, expected) => {
    expect(usableCores(machine(allowed, PAIRS), 64)).toBe(expected);
    const ranges = PAIRS.map((_, cpu) => `${cpu - (cpu % 2)}-${cpu - (cpu % 2) + 1}`);
    expect(usableCores(machine('0-7', ranges), 64)).toBe(4);
  });
});

describe('quota of a cgroup', () => {
  it.each([
    [v2('max 100000'), 8],
    [v2('300000 100000'), 3],
    [v2('250000 100000'), 2],
    [v2('50000 100000'), 1],
    [v2('6000000 100000'), 8],
    [v2('25000 10000'), 2],
    [v1('-1', '100000'), 8],
    [v1('400000', '100000'), 4],
    [v1('10000', '100000'), 1],
    [{ ...v2('200000 100000'), ...v1('400000', '100000') }, 2],
    [{ ...v2('rubbish'), ...v1('400000', '') }, 8],
  ])('%o', (files, expected) => {
    expect(usableCores(machine('0-7', [], files), 64)).toBe(expected);
  });

  it('counts cores, not hardware threads', () => {
    expect(usableCores(machine('0-7', PAIRS, v2('600000 100000')), 64)).toBe(4);
    expect(usableCores(machine('0-7', PAIRS, v2('300000 100000')), 64)).toBe(3);
  });
});

describe('where the system does not tell', () => {
  it('as many as Node.js counts, within the quota', () => {
    expect(usableCores(() => '', 6)).toBe(6);
    expect(usableCores((path) => ({ ...v2('200000 100000') })[path as never] ?? '', 6)).toBe(2);
  });
});

it('on this machine, at least one and no more than Node.js counts', () => {
  const cores = usableCores();
  expect(Number.isInteger(cores)).toBe(true);
  expect(cores).toBeGreaterThanOrEqual(1);
  expect(cores).toBeLessThanOrEqual(availableParallelism());
});
