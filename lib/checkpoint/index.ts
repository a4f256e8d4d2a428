/** Checkpoints: runs that survive a crash. */

export type { Checkpoint, SkippedFile } from './checkpoint.ts';
export {
  CheckpointDirectory,
  type CheckpointDirectoryOptions,
  type ListedCheckpoint,
  type SavedCheckpoint,
  type SaveOptions,
} from './checkpoint-directory.ts';
export type { CheckpointParts, Saveable, Saveables } from './parts.ts';
