// The suite on the addon of build-asan/, for `npm run test:asan`. What builds, packs or checks
// types is left out: it runs other programs than the addon; so are resident sizes, for the sanitizer
// keeps what is freed, and what mostly runs in WebAssembly or in TensorFlow.js.
import { fileURLToPath } from 'node:url';
import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

const inRepository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export default mergeConfig(base, {
  test: {
    root: inRepository('.'),
    setupFiles: [inRepository('test/asan/setup.ts')],
    exclude: [
      ...['test/package/**', 'test/bench/**', 'test/tfjs/**', 'test/examples/tfjs*'],
      ...['test/memory/resident.test.ts', 'test/backend/wasm.test.ts'],
    ],
    env: { GRADSTEP_FUZZ_COLLECT: '4' }, // what is borrowed and not kept is gone soon
    typecheck: { enabled: false },
    // Left out: the backend without native code, and goldens inside one large buffer, where an
    // overrun meets no red zone; shared memory stays, so that unaligned arrays are stepped too.
    testNamePattern:
      /^(?!portable )(?!wasm )(?!native \w+ unaligned arrays )(?!native WebAssembly)/,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
