/** Makes all prebuilt addons, packs, and installs the package where every machine runs it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { install, packAll, prebuild } from '../support/consumer.ts';
import { nodeRunner } from './bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with the installed package and `runner.mjs`. */
    consumer: string;
    /** The files of the package. */
    files: readonly string[];
    /** Why an addon could not be made, by target. */
    failures: Readonly<Record<string, string>>;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'gradstep-machines-'));
  const failures: Record<string, string> = {};
  for (const target of ['linux-x64', 'linux-arm64']) {
    try {
      prebuild(target);
    } catch (error) {
      failures[target] = (error as Error).message;
    }
  }
  const packages = packAll(join(folder, 'tarballs'));
  const consumer = install(join(folder, 'consumer'), packages);
  writeFileSync(join(consumer, 'runner.mjs'), await nodeRunner());
  provide('consumer', consumer);
  provide('files', packages[0]!.files);
  provide('failures', failures);
  return () => rmSync(folder, { recursive: true });
}
