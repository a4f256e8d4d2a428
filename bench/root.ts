/** The repository's folder, whether this runs from bench/ or compiled from bench/dist/. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(folder: string): string {
  return existsSync(join(folder, 'native', 'sources.json')) ? folder : find(dirname(folder));
}

export const root = find(dirname(fileURLToPath(import.meta.url)));
