/** The error for what is no safetensors file, or cannot be one. */

import { GradstepError } from '../support/errors.ts';

/** @throws {GradstepError} `ERR_SAFETENSORS`. */
export function refuseFile(sentence: string, cause?: unknown): never {
  throw new GradstepError('ERR_SAFETENSORS', sentence, cause === undefined ? {} : { cause });
}
