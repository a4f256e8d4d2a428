// `npm run test:machines`: the packed package on other processors, Node.js versions and in a
// browser. What a machine lacks for that is an error that names it.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export default defineConfig({
  test: {
    root: here('../..'),
    include: ['test/machines/*.machine.ts'],
    globalSetup: here('setup.ts'),
    reporters: ['verbose'],
    maxWorkers: 2,
    testTimeout: 900_000,
  },
});
