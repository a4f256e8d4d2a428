/** `gradstep/portable`, bundled, in a browser: on an ordinary page and on an isolated one. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { browserRunner } from './bundle.ts';
import { need } from './machine.ts';

const QUIET = [
  '--headless',
  '--no-sandbox', // which refuses to run as root, as in containers
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** What lets a page use shared memory. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

let server: Server;
let profile: string;

beforeAll(async () => {
  profile = mkdtempSync(join(tmpdir(), 'gradstep-browser-'));
  const script = (await browserRunner(inject('consumer'))).replaceAll('</script', '<\\/script');
  server = createServer(({ url }, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html', ...(url === '/isolated' && ISOLATION) });
    response.end(`<!doctype html><meta charset="utf-8"><body><script>${script}</script></body>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.close();
  rmSync(profile, { recursive: true, force: true });
});

test.for([
  ['/', 'not isolated'],
  ['/isolated', 'isolated'],
] as const)('Chromium, page %s', async ([path, state], { annotate }) => {
  const chromium = need('chromium', 'chromium');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const args = [...QUIET, `--user-data-dir=${profile}`, '--dump-dom', url];
  const { stdout } = await promisify(execFile)(chromium, args, {
    timeout: 300_000,
    maxBuffer: 64 << 20,
  });
  const said = stdout.match(/<body>([\s\S]*)<\/body>/)?.[1]?.trim() ?? stdout;
  expect(said).toMatch(new RegExp(`^wasm, ${state}: [1-9]\\d* cases, 0 wrong$`));
  await annotate(said);
});
