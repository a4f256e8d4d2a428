#!/usr/bin/env node
// The command of the package. `npx gradstep build` compiles the addon where no prebuilt one fits.
// It is no install script, because package managers block those, or warn of them, even where a
// prebuilt addon makes them superfluous. `npx gradstep schedule` draws schedules.
import { buildAddon } from './build-addon.mjs';

const USAGE = `Usage: npx gradstep build [--download-headers]
       npx gradstep schedule NAME [options]     (npx gradstep schedule --help)

build compiles the native addon with node-gyp, from the headers beside the running Node.js.
  --download-headers   let node-gyp fetch the headers where none are installed
`;

const [command, ...options] = process.argv.slice(2);
if (command === 'schedule') {
  const { main } = await import('../dist/cli/main.js'); // there once the library is built
  process.exitCode = main(options);
} else if (command !== 'build' || options.some((option) => option !== '--download-headers')) {
  console.error(USAGE);
  process.exit(2);
} else {
  process.exit(buildAddon({ download: options.length > 0 }));
}
