#!/usr/bin/env node
// The command of the package, and the one list of what it can do: a new command is a row here and
// a `lib/cli/NAME.ts` that exports `run`. `npx gradstep build` is no install script, because package
// managers block those, or warn of them, even where a prebuilt addon makes them superfluous.
import { readFileSync } from 'node:fs';

/** A command of the built library: dist/cli/NAME.js, which exports `run`. */
const fromLibrary = (name) => async (args) => {
  const [{ main }, { run }] = await Promise.all([
    import('../dist/cli/main.js'),
    import(`../dist/cli/${name}.js`),
  ]);
  return main(run, args);
};

async function build(args) {
  if (args.some((arg) => ['--help', '-h'].includes(arg))) return help();
  const stray = args.find((option) => option !== '--download-headers');
  if (stray !== undefined) return refuse(`Unknown flag ${stray}`);
  const { buildAddon } = await import('./build-addon.mjs');
  return buildAddon({ download: args.length > 0 });
}

/** By name: its usage, what it does, and what runs it and returns the exit code. */
const COMMANDS = {
  build: {
    usage: 'build [--download-headers]',
    about:
      'compiles the native addon with node-gyp, from the headers beside the running Node.js;\n' +
      '           --download-headers lets node-gyp fetch them where none are installed',
    run: build,
  },
  info: {
    usage: 'info [--json]',
    about: 'tells what runs here and why: put it into a report of a fault',
    run: fromLibrary('info'),
  },
  bench: {
    usage: 'bench [NAME ...] [--json]',
    about: 'times steps on this machine, beside what its memory allows',
    run: fromLibrary('bench'),
  },
  inspect: {
    usage: 'inspect FILE [--json]',
    about: 'tells what is in a checkpoint or any safetensors file',
    run: fromLibrary('inspect'),
  },
  schedule: {
    usage: 'schedule NAME [options]',
    about: 'draws learning rates in the terminal, or into an SVG',
    run: fromLibrary('schedule'),
  },
};

function usage() {
  const all = Object.entries(COMMANDS);
  const usages = [...all.map(([, command]) => command.usage), '--help | --version'];
  const lines = all.map(([name, { about }]) => `${name.padEnd(10)} ${about}`);
  return (
    `Usage: ${usages.map((line) => `npx gradstep ${line}`).join('\n       ')}\n\n` +
    `${lines.join('\n')}\n\n\`npx gradstep COMMAND --help\` tells more.\n`
  );
}

function help() {
  process.stdout.write(usage());
  return 0;
}

function version() {
  const file = new URL('../package.json', import.meta.url);
  process.stdout.write(`${JSON.parse(readFileSync(file, 'utf8')).version}\n`);
  return 0;
}

function refuse(sentence) {
  process.stderr.write(`gradstep: ${sentence}\n\n${usage()}`);
  return 2;
}

async function refuseCommand(name) {
  if (name === '') return refuse('Expected a command');
  const { nearest } = await import('../dist/support/describe.js').catch(() => ({}));
  const guess = nearest?.(name, Object.keys(COMMANDS));
  return refuse(`Unknown command '${name}'${guess ? `; did you mean ${guess}?` : ''}`);
}

const WORDS = { '--help': help, '-h': help, help, '--version': version, '-v': version, version };

const [name = '', ...args] = process.argv.slice(2);
const known = Object.hasOwn(COMMANDS, name) ? COMMANDS[name].run : undefined;
const word = Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
process.exitCode = await (known ?? word ?? (() => refuseCommand(name)))(args);
