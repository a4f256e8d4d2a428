/**
 * `gradstep/tfjs/register`: `registerTfjs` for the TensorFlow.js of the program that imports this.
 * It is asked for by name, here and nowhere else, since it is an optional peer.
 */

import '../index.ts'; // the addon, where it loads
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { packageRoot } from '../backend/require-addon.ts';
import { GradstepError } from '../support/errors.ts';
import { registerTfjs } from './compatible/register-tfjs.ts';

/** All of these have the same `train`, that of tfjs-core. */
const PACKAGES = ['@tensorflow/tfjs', '@tensorflow/tfjs-node', '@tensorflow/tfjs-core'];

/** Synchronously, so that `require('gradstep/tfjs/register')` works too. */
function findTfjs(): Parameters<typeof registerTfjs>[0] {
  const causes: unknown[] = [];
  // Beside gradstep, where an installed peer is; else beside the program, if gradstep is a link.
  for (const folder of [packageRoot, process.cwd()]) {
    const require = createRequire(resolve(folder, 'package.json'));
    for (const name of PACKAGES) {
      try {
        return require(name) as Parameters<typeof registerTfjs>[0];
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error;
        causes.push(error);
      }
    }
  }
  throw new GradstepError(
    'ERR_NO_TFJS',
    `gradstep/tfjs/register found none of ${PACKAGES.join(', ')}: install one with ` +
      "'npm install @tensorflow/tfjs', or call registerTfjs(tf) of gradstep/tfjs with yours",
    { cause: causes[0] },
  );
}

registerTfjs(findTfjs());
