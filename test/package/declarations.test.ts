/** The declarations that are published, as a strict program without skipLibCheck reads them. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Uses the package by its name; a class of its own is typed by name, too. */
const program = `
import { createOptimizer, Optimizer, Parameter, registerOptimizer, type Update } from 'gradstep';
import 'gradstep/portable';
import 'gradstep/safetensors';
import 'gradstep/tfjs';

class Own extends Optimizer<{ readonly lr?: number }> {
  static defaults = { lr: 0.1 };
  update({ data, grad, group }: Update<Own>) {
    data[0]! -= group.lr * grad[0]!;
  }
}
declare module 'gradstep' {
  interface OptimizerClasses {
    own: typeof Own;
  }
}
registerOptimizer('own', Own);
export const own: Own = createOptimizer('own', [new Parameter([1])], { lr: 1 });
// @ts-expect-error: misspelt
createOptimizer('own', [new Parameter([1])], { rl: 1 });
`;

it('hold together, and know classes that users register', () => {
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build', 'declarations-'));
  try {
    writeFileSync(join(folder, 'program.mts'), program);
    const options = '--ignoreConfig --noEmit --strict --target es2022 --module nodenext';
    const libraries = ['--lib', 'es2023,esnext.disposable', '--types', 'node'];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const args = [tsc, ...options.split(' '), ...libraries, join(folder, 'program.mts')];
    const { stdout, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
