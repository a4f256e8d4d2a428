// lib/backend/wasm/modules/: the kernels as two modules of WebAssembly, in TypeScript files that
// are committed, so that a checkout without clang builds, and every bundler takes them.
//
//   node scripts/build-wasm.mjs            builds both with clang-16 and lld-16 (Debian's)
//   node scripts/build-wasm.mjs --check    fails where a fresh build has other bytes
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const COMPILER = 'clang++-16';
const LINKER = 'wasm-ld-16';

/** By instruction set: what it asks for beside SIMD of fixed width. */
const MODULES = {
  'wasm-simd128': [],
  'wasm-relaxed-simd': ['-mrelaxed-simd'],
};

const FLAGS = [
  ...['--target=wasm32', '-ffreestanding', '-nostdlib', '-nostdinc++', '-std=c++17', '-O3'],
  ...['-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-fvisibility=hidden'],
  ...['-ffp-contract=off', '-fno-math-errno', '-Wall', '-Wextra', '-msimd128', '-mbulk-memory'],
  // Data and stack lie below what lib/backend/wasm/space.ts gives out. A maximum lets the memory be
  // a shared one.
  '-Wl,--no-entry,--import-memory,--max-memory=4294967296,--stack-first,-z,stack-size=16384',
  '-Wl,--export=__heap_base,--strip-all',
];

/** The bytes of a module, the same wherever these two programs are of this version. */
function build(name, options) {
  const { wasm } = JSON.parse(readFileSync(join(root, 'native', 'sources.json'), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'gradstep-wasm-'));
  try {
    const file = join(folder, `${name}.wasm`);
    execFileSync(COMPILER, [...FLAGS, ...options, ...wasm, '-o', file], {
      cwd: root,
      stdio: 'inherit',
    });
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A whole TypeScript file. */
function sourceOf(name, bytes) {
  return [
    '// Made by `npm run build:wasm` from native/: do not edit.',
    `/** The module of \`${name}\`, in base64. @internal */`,
    'export const base64: string =',
    `  '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
}

function isThere(program) {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const check = process.argv.includes('--check');
const missing = [COMPILER, LINKER].filter((program) => !isThere(program));
if (missing.length > 0) {
  console.error(`missing: ${missing.join(', ')}. On Debian: apt-get install clang-16 lld-16`);
  process.exitCode = 1;
} else {
  for (const [name, options] of Object.entries(MODULES)) {
    const file = join(root, 'lib', 'backend', 'wasm', 'modules', `${name}.ts`);
    const source = sourceOf(name, build(name, options));
    if (!check) writeFileSync(file, source);
    else if (!existsSync(file) || readFileSync(file, 'utf8') !== source) {
      console.error(`${file} is not what native/ gives: run npm run build:wasm and commit it`);
      process.exitCode = 1;
    }
  }
}
