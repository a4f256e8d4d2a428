#!/usr/bin/env node
// The command of the package: `npx gradstep build` compiles the addon where no prebuilt one fits.
// It is no install script, because package managers block those, or warn of them, even where a
// prebuilt addon makes them superfluous.
import { buildAddon } from './build-addon.mjs';

const USAGE = `Usage: npx gradstep build [--download-headers]

Compiles the native addon with node-gyp, from the headers beside the running Node.js.
  --download-headers   let node-gyp fetch the headers where none are installed
`;

const [command, ...options] = process.argv.slice(2);
if (command !== 'build' || options.some((option) => option !== '--download-headers')) {
  console.error(USAGE);
  process.exit(2);
}
process.exit(buildAddon({ download: options.length > 0 }));
