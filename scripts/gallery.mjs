// Draws every picture of the docs: each file in scripts/gallery draws its own.
// `npm run gallery` builds the library first.

import { readdir } from 'node:fs/promises';

const folder = new URL('gallery/', import.meta.url);
for (const file of (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort()) {
  const { draw } = await import(new URL(file, folder).href);
  for (const written of await draw()) console.log(`wrote ${written}`);
}
