/** Bundles a runner into one file that needs nothing but the installed package, if that. */

import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { goldenFiles } from '../optimizers/golden.ts';

const inRunner = (file: string) => fileURLToPath(new URL(`./runner/${file}`, import.meta.url));

/** The tests name their sources; here these are the package that was installed. */
const GRADSTEP = /^gradstep$|\/lib\/index\.ts$/;

const installed: Plugin = {
  name: 'installed',
  setup({ onResolve }) {
    onResolve({ filter: GRADSTEP }, () => ({ path: 'gradstep', external: true }));
  },
};

/** The portable half of the package in `consumer`, and what the replay itself asks of Node. */
const portable = (consumer: string): Plugin => ({
  name: 'portable',
  setup({ onLoad, onResolve, resolve }) {
    const options = { kind: 'import-statement', resolveDir: consumer } as const;
    onResolve({ filter: GRADSTEP }, () => resolve('gradstep/portable', options));
    onResolve({ filter: /^node:crypto$/ }, ({ importer }) =>
      importer.endsWith('golden.ts') ? { path: inRunner('sha256.ts') } : undefined,
    );
    // Only goldenFiles() reads files, and a runner does not call it.
    onResolve({ filter: /^node:fs$/ }, ({ importer }) =>
      importer.endsWith('golden.ts') ? { path: 'nothing', namespace: 'nothing' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'nothing' }, () => ({
      contents: 'export const readdirSync = undefined, readFileSync = undefined;',
    }));
  },
});

async function bundle(entry: string, platform: 'node' | 'browser', plugin: Plugin) {
  const { outputFiles } = await build({
    entryPoints: [inRunner(entry)],
    bundle: true,
    write: false,
    platform,
    format: platform === 'node' ? 'esm' : 'iife',
    define: { GOLDENS: JSON.stringify(goldenFiles()) },
    tsconfigRaw: {}, // the repository's would lead 'gradstep' to its sources
    plugins: [plugin],
    logOverride: { 'empty-import-meta': 'silent' }, // in goldenFiles(), too
  });
  return outputFiles[0]!.text;
}

export const nodeRunner = (): Promise<string> => bundle('node.ts', 'node', installed);

export const browserRunner = (consumer: string): Promise<string> =>
  bundle('browser.ts', 'browser', portable(consumer));
