/** What errors say of arrays, wherever they are looked at. */

/** What is said of an array whose memory was taken away. */
export function goneSentence(field: 'data' | 'grad', label: string): string {
  return (
    `The buffer of ${field} of parameter ${label} was transferred, shrunk or grown ` +
    `away; assign a new Float32Array to ${field}`
  );
}

/** What is said of an array that an asynchronous step cannot be given. */
export function unsharedSentence(field: 'data' | 'grad', label: string): string {
  return (
    'stepAsync needs shared memory, which nobody can take away while it runs, but ' +
    `${field} of parameter ${label} lies on an ArrayBuffer: use a ParameterArena, or ` +
    'Float32Arrays over a SharedArrayBuffer'
  );
}
