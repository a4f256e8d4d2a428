/** `gradstep inspect`: what is in a checkpoint or any safetensors file. */

import { inspectFile } from '../checkpoint/inspection.ts';
import { GradstepError } from '../support/errors.ts';
import { readFlags, refuse } from './flags.ts';
import { inspectionJson, inspectionText } from './inspection-text.ts';
import type { Terminal } from './main.ts';

export const USAGE = `Usage: gradstep inspect FILE [--json]

Tells what is in a checkpoint or any safetensors file: its tensors with their types, shapes,
sizes and L2 norms; of a checkpoint also its step, extra, hyperparameters, and whether its
checksum is right. The file is read once, in the memory of a few megabytes.

  --json   the same as JSON; numbers that JSON lacks (NaN, infinities, bigints) as strings

The exit code is 1 for a file that is damaged, or no safetensors file.

Examples:
  gradstep inspect runs/lenet/step-000001200.safetensors
  gradstep inspect model.safetensors --json
`;

/**
 * Runs the command.
 * @throws {GradstepError} What the arguments or the file are refused for; `ERR_CHECKPOINT`, after
 * it has told everything, where the checksum is wrong.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  const { words: files, flags } = readFlags(args, { json: 'switch' });
  if (args.length === 0 || flags.help) {
    terminal.write(USAGE);
    return;
  }
  if (files.length !== 1) refuse(`Expected one file but received ${files[1] ?? 'none'}`);
  const found = await inspectFile(files[0]!);
  const show = flags.json ? inspectionJson : inspectionText;
  terminal.write(show(found, terminal.columns));
  if (found.checkpoint?.checksum === 'wrong') {
    throw new GradstepError(
      'ERR_CHECKPOINT',
      `${found.path} is damaged: its checksum is not that of its contents`,
    );
  }
}
