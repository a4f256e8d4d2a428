#!/usr/bin/env node
// The command of the package, and the list of what it can do. `npx gradstep build` is no install
// script, because package managers block those, or warn of them, even where a prebuilt addon makes
// them superfluous.

/** A command of the built library: dist/cli/NAME.js, which exports `run`. */
const fromLibrary = (name) => async (args) => {
  const [{ main }, { run }] = await Promise.all([
    import('../dist/cli/main.js'),
    import(`../dist/cli/${name}.js`),
  ]);
  return main(run, args);
};

/** By name: its usage, what it does, and what runs it and returns the exit code. */
const COMMANDS = {
  build: {
    usage: 'build [--download-headers]',
    about:
      'compiles the native addon with node-gyp, from the headers beside the running Node.js;\n' +
      '           --download-headers lets node-gyp fetch them where none are installed',
    async run(args) {
      if (args.some((option) => option !== '--download-headers')) return refuse();
      const { buildAddon } = await import('./build-addon.mjs');
      return buildAddon({ download: args.length > 0 });
    },
  },
  schedule: {
    usage: 'schedule NAME [options]',
    about: 'draws learning rates in the terminal and into an SVG',
    run: fromLibrary('schedule'),
  },
  inspect: {
    usage: 'inspect FILE [--json]',
    about: 'tells what is in a checkpoint or any safetensors file',
    run: fromLibrary('inspect'),
  },
};

function refuse() {
  const all = Object.entries(COMMANDS);
  const usages = all.map(([, { usage }]) => `npx gradstep ${usage}`);
  const lines = all.map(([name, { about }]) => `${name.padEnd(10)} ${about}`);
  console.error(
    `Usage: ${usages.join('\n       ')}\n\n${lines.join('\n')}\n\n` +
      '`npx gradstep schedule --help` and `npx gradstep inspect --help` tell more.',
  );
  return 2;
}

const [name = '', ...args] = process.argv.slice(2);
const { run = refuse } = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : {};
process.exitCode = await run(args);
