/** The error for what is no safetensors file, or cannot be one. */

import { GradstepError } from '../support/errors.ts';

/** Names in a file may be as long as its header. */
const LONGEST = 1000;

/** @throws {GradstepError} `ERR_SAFETENSORS`. */
export function refuseFile(sentence: string, cause?: unknown): never {
  const isLong = sentence.length > LONGEST;
  const said = isLong ? `${sentence.slice(0, LONGEST / 2)} … ${sentence.slice(-200)}` : sentence;
  throw new GradstepError('ERR_SAFETENSORS', said, cause === undefined ? {} : { cause });
}
