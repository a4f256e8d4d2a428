/** `npx gradstep`: the list of commands, and those that tell of the machine. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { run as runBench } from '../../lib/cli/bench.ts';
import { run as runInfo } from '../../lib/cli/info.ts';
import type { Terminal } from '../../lib/cli/main.ts';
import { backend, isa } from '../../lib/index.ts';
import { expectError } from '../support/helpers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

function gradstep(...args: string[]) {
  const script = `${root}scripts/gradstep.mjs`;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** What a command prints. */
function printed(run: (args: string[], terminal: Terminal) => void, ...args: string[]): string {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  run(args, { write, columns: 80, colour: false });
  return text;
}

describe('npx gradstep', () => {
  test.each([['--help'], ['-h'], ['help']])('%s lists every command', (word) => {
    const { status, stdout, stderr } = gradstep(word);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const name of ['build', 'info', 'bench', 'inspect', 'schedule']) {
      expect(stdout).toContain(`npx gradstep ${name}`);
    }
  });

  test.each([['--version'], ['-v']])('%s', (word) => {
    expect(gradstep(word)).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each([
    [['inspct'], "Unknown command 'inspct'; did you mean inspect?"],
    [['__proto__'], "Unknown command '__proto__'"],
    [[], 'Expected a command'],
    [['build', '--dwnload'], 'Unknown flag --dwnload'],
  ])('%j is refused with its usage', (args, sentence) => {
    const { status, stdout, stderr } = gradstep(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('Usage: npx gradstep build');
  });

  test('every command has help', () => {
    for (const name of ['build', 'info', 'bench', 'inspect', 'schedule']) {
      const { status, stdout } = gradstep(name, '--help');
      expect({ name, status }).toEqual({ name, status: 0 });
      expect(stdout).toContain('Usage:');
    }
  });
});

describe('info', () => {
  test('tells what runs here', () => {
    const info = JSON.parse(printed(runInfo, '--json'));
    expect(info).toMatchObject({ gradstep: version, backend: backend(), isa: isa() });
    expect(info.runtime).toContain(process.versions.node);
    expect(info.addon).toBe('loaded');
    const text = printed(runInfo);
    for (const key of Object.keys(info)) expect(text).toContain(key);
  });

  test('says why the addon is not in force', () => {
    const script = `${root}scripts/gradstep.mjs`;
    const env = { ...process.env, GRADSTEP_ADDON: '/nowhere.node', GRADSTEP_NUM_THREADS: '1' };
    const { stdout } = spawnSync(process.execPath, [script, 'info'], { encoding: 'utf8', env });
    expect(stdout).toMatch(/^addon +No native addon for .*\/nowhere\.node \(GRADSTEP_ADDON\)/m);
    expect(stdout).toMatch(/^environment +.*GRADSTEP_NUM_THREADS=1/m);
  });

  test.each([
    [['--jsn'], 'Unknown flag --jsn; did you mean --json?'],
    [['now'], "Expected no word after info but received 'now'"],
  ])('refuses %j', (args, sentence) => {
    expectError(() => printed(runInfo, ...args), 'ERR_INVALID_ARGUMENT', sentence);
  });
});

describe('bench', () => {
  test('times what it is asked for', () => {
    const args = ['sgd', 'adamw', '--values', '1000', '--seconds=1'];
    const result = JSON.parse(printed(runBench, ...args, '--json'));
    expect(result).toMatchObject({ backend: backend(), values: 1000 });
    expect(result.rows.map(({ name }: { name: string }) => name)).toEqual([
      'sgd',
      'adamw',
      'copying memory',
    ]);
    for (const row of result.rows) expect(row.nanosecondsPerValue).toBeGreaterThan(0);
    expect(printed(runBench, ...args)).toMatch(/adamw +[\d.]+ ns a value +[\d.]+ GB\/s/);
  });

  test.each([
    [['adamx'], 'Expected names out of sgd, momentum, adam, adamw'],
    [['--values', '0'], '--values to be a whole number from 1'],
    [['--seconds'], 'Expected a value after --seconds'],
  ])('refuses %j', (args, sentence) => {
    expectError(() => printed(runBench, ...args), 'ERR_INVALID_ARGUMENT', sentence);
  });
});
