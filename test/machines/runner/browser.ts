/** What a browser runs: `gradstep/portable` over the goldens; the page then holds the result. */

import { backend } from 'gradstep';
import { checkGoldens, told } from './check.ts';

// The replay decodes base64 with Node's Buffer.
Reflect.set(globalThis, 'Buffer', {
  from: (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)),
});

const document = Reflect.get(globalThis, 'document') as { body: { textContent: string } };
const isolated = Reflect.get(globalThis, 'crossOriginIsolated') === true;
try {
  const state = isolated ? 'isolated' : 'not isolated';
  document.body.textContent = `${backend()}, ${state}: ${told(checkGoldens())}`;
} catch (error) {
  document.body.textContent = `failed: ${(error as Error).stack}`;
}
