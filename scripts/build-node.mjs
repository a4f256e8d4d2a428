// dist/node/: the package for Node.js, for `import` and `require` alike. All of lib/ is one
// CommonJS file, whose modules run when an entry first asks for them: one file loads four times
// as fast as a hundred, and every way to load the package meets the same classes.
// Runs after tsc, whose output in dist/ serves browsers.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ENTRIES } from './entries.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'dist', 'node');

/** `requireAddon` as bundlers and tracers of files know it: they look for these very words. */
const REQUIRE_ADDON = `
const path = require('node:path');
export const packageRoot = path.join(typeof __dirname === 'string' ? __dirname : '.', '../..');
export const requireAddon = (file) =>
  file === undefined ? require('node-gyp-build')(path.join(__dirname, '../..')) : require(file);
`;

const addonIsRequired = {
  name: 'require-addon',
  setup({ onLoad }) {
    onLoad({ filter: /require-addon\.ts$/ }, () => ({ contents: REQUIRE_ADDON, loader: 'js' }));
  },
};

async function bundle() {
  const lines = Object.values(ENTRIES).map(
    (entry) => `exports['${entry}'] = () => require('./lib/${entry}.ts');`,
  );
  await build({
    stdin: { contents: lines.join('\n'), resolveDir: root, sourcefile: 'entries.js' },
    outfile: join(out, 'gradstep.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    external: ['node-gyp-build'],
    ignoreAnnotations: true, // what is imported for its effect alone runs, whatever it is called
    plugins: [addonIsRequired],
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
}

/** What every entry exports; nothing of it is run. */
async function listExports() {
  const { metafile } = await build({
    entryPoints: Object.values(ENTRIES).map((entry) => join(root, 'lib', `${entry}.ts`)),
    absWorkingDir: root,
    outdir: 'dist/node',
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    ignoreAnnotations: true,
    metafile: true,
    write: false,
  });
  const outputs = Object.entries(metafile.outputs);
  return new Map(
    outputs.map(([file, { exports }]) => [file.slice('dist/node/'.length, -'.js'.length), exports]),
  );
}

/** The two files of an entry; both name what they export, for those who only read them. */
function writeEntry(entry, exported) {
  const file = join(out, `${entry}.cjs`);
  const shared = `./${relative(dirname(file), join(out, 'gradstep.cjs'))}`;
  const names = [...exported].sort();
  const lines = names.map((name) => `exports.${name} = gradstep.${name};`);
  const required = `const gradstep = require('${shared}')['${entry}']();\n`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `'use strict';\n${required}${lines.join('\n')}\n`);
  const list = names.length > 0 ? `export { ${names.join(', ')} } from` : 'import';
  const base = entry.split('/').at(-1);
  writeFileSync(file.replace(/cjs$/, 'mjs'), `${list} './${base}.cjs';\n`);
}

/**
 * Declarations, read as CommonJS by those who `require`, while those who `import` are led to the
 * same ones: a class that is declared twice is two classes.
 * Before TypeScript 5.7 arrays had no type parameter; its default says the same.
 */
function writeTypes() {
  const types = join(out, 'types');
  const dist = join(root, 'dist');
  const files = readdirSync(dist, { recursive: true }).filter(
    (file) => file.endsWith('.d.ts') && !file.startsWith('node'),
  );
  const known = new Set(Object.values(ENTRIES).map((entry) => `${entry}.d.ts`));
  for (const file of files) {
    const text = readFileSync(join(dist, file), 'utf8');
    const plain = text.replace(/\b(\w+Array)<ArrayBufferLike>/g, '$1');
    const lib = known.has(file) ? '/// <reference lib="esnext.disposable" />\n' : '';
    mkdirSync(dirname(join(types, file)), { recursive: true });
    writeFileSync(join(types, file), lib + plain);
  }
  writeFileSync(join(types, 'package.json'), '{ "type": "commonjs" }\n');
  for (const entry of Object.values(ENTRIES)) {
    const file = join(out, entry);
    const shared = relative(dirname(file), join(types, `${entry}.js`));
    for (const ending of ['d.mts', 'd.cts']) {
      writeFileSync(`${file}.${ending}`, `export * from './${shared}';\n`);
    }
  }
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await bundle();
for (const [entry, names] of await listExports()) writeEntry(entry, names);
writeTypes();
