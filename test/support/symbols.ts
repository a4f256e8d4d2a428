/** What an addon asks of the system's libraries, read from the output of `readelf`. */

import { spawnSync } from 'node:child_process';

/** The newest versions that may be asked for: those that Node.js 20 itself asks for. */
const NEWEST: Readonly<Record<string, readonly number[]>> = {
  GLIBC: [2, 28],
  GLIBCXX: [3, 4, 21],
  CXXABI: [1, 3, 9],
};

function isNewer(version: readonly number[], than: readonly number[]): boolean {
  const i = version.findIndex((part, k) => part !== (than[k] ?? 0));
  return i >= 0 && version[i]! > (than[i] ?? 0);
}

/** The versions of symbols that a file needs, as `GLIBC_2.14`. */
export function neededVersions(file: string): string[] {
  const { stdout, status } = spawnSync('readelf', ['-W', '--version-info', file], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`readelf does not understand ${file}`);
  return [...new Set(stdout.match(/\b(GLIBC|GLIBCXX|CXXABI)_[0-9.]+\b/g))];
}

/** Those of the versions that some machine with Node.js 20 does not have. */
export function tooYoung(versions: readonly string[]): string[] {
  return versions.filter((name) => {
    const [library, version] = name.split('_') as [string, string];
    return isNewer(version.split('.').map(Number), NEWEST[library]!);
  });
}

function binutils(tool: string, ...args: string[]): string[] {
  const { stdout, stderr, status } = spawnSync(tool, args, {
    encoding: 'utf8',
    maxBuffer: 256 << 20,
  });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')} failed: ${stderr}`);
  return stdout.split('\n');
}

/** The symbols of a file, with nm's letter for their kind. */
export function symbols(file: string, ...options: string[]): { kind: string; name: string }[] {
  return binutils('nm', '-C', ...options, file).flatMap((line) => {
    const match = line.match(/^[0-9a-f ]{16} (\w) (.*)$/);
    return match ? [{ kind: match[1]!, name: match[2]! }] : [];
  });
}

/** The functions of a file, with their instructions. */
export function disassembly(file: string): { name: string; instructions: string[] }[] {
  const functions: { name: string; instructions: string[] }[] = [];
  for (const line of binutils('objdump', '-d', '-C', '--no-show-raw-insn', file)) {
    const start = line.match(/^[0-9a-f]+ <(.*)>:$/);
    if (start) functions.push({ name: start[1]!, instructions: [] });
    const instruction = line.match(/^ +[0-9a-f]+:\t(.*)$/);
    if (instruction) functions.at(-1)!.instructions.push(instruction[1]!);
  }
  return functions;
}
