import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const lib = (file: string) => fileURLToPath(new URL(`./lib/${file}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^gradstep$/, replacement: lib('index.ts') },
      { find: /^gradstep\/portable$/, replacement: lib('portable.ts') },
      { find: /^gradstep\/safetensors$/, replacement: lib('safetensors/index.ts') },
      { find: /^gradstep\/tfjs$/, replacement: lib('tfjs/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    typecheck: { enabled: true, include: ['test/**/*.test-d.ts'], tsconfig: 'tsconfig.json' },
    testTimeout: 60_000,
    execArgv: ['--disable-warning=GradstepWarning'], // many tests draw schedules without steps
  },
});
