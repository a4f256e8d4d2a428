/** Warnings: through Node.js where there is one, else on the console. */

/** Tells of something that is probably a mistake and yet allowed. */
export function warn(message: string): void {
  const { process, console } = globalThis;
  if (typeof process?.emitWarning === 'function') process.emitWarning(message, 'GradstepWarning');
  else console.warn(`GradstepWarning: ${message}`);
}
