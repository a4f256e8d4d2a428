/**
 * The one error class of the package and the union of its codes. Every failed check throws a
 * `GradstepError` before anything has changed; the table in the README explains each code.
 */

/** Stable identifiers of everything that can go wrong; messages may be reworded, codes may not. */
export type ErrorCode =
  | 'ERR_ASYNC_CLOSURE'
  | 'ERR_BACKEND'
  | 'ERR_BUSY'
  | 'ERR_CHECKPOINT'
  | 'ERR_CHECKPOINT_VERSION'
  | 'ERR_DETACHED'
  | 'ERR_DISPOSED'
  | 'ERR_DUPLICATE_PARAMETER'
  | 'ERR_FILE'
  | 'ERR_GRAD_SCALER'
  | 'ERR_INTERNAL'
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_INVALID_GRADIENT'
  | 'ERR_INVALID_GROUP'
  | 'ERR_INVALID_OPTION'
  | 'ERR_INVALID_PARAMETER'
  | 'ERR_ISA'
  | 'ERR_MISSING_PACKAGE'
  | 'ERR_NAMES'
  | 'ERR_NATIVE_UNAVAILABLE'
  | 'ERR_NON_FINITE'
  | 'ERR_NOT_SHARED'
  | 'ERR_NO_MATCH'
  | 'ERR_NO_TFJS'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_OVERFLOW'
  | 'ERR_OVERLAP'
  | 'ERR_READ_ONLY'
  | 'ERR_SAFETENSORS'
  | 'ERR_SCHEDULE_END'
  | 'ERR_STATE_DICT'
  | 'ERR_SWAPPED'
  | 'ERR_UNKNOWN_OPTION'
  | 'ERR_UPDATE'
  | 'ERR_WASM_UNAVAILABLE';

/** An error with a stable `code` and a sentence that says what was expected and what came. */
export class GradstepError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

Object.defineProperty(GradstepError.prototype, 'name', {
  value: 'GradstepError',
  configurable: true,
  writable: true,
});
