/** What options are called elsewhere, and which of PyTorch's have no place here. */

/** By option, what other libraries call it, in small letters. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  lr: ['learningrate', 'rate', 'stepsize'],
  eps: ['epsilon'],
  weightDecay: ['decay', 'l2', 'wd'],
  maxGradNorm: ['clipnorm', 'globalclipnorm', 'gradclip', 'clipgrad', 'clipgradnorm', 'maxnorm'],
  clipValue: ['clipgradvalue', 'gradclipvalue'],
  gradScale: ['lossscale'],
  frozen: ['requiresgrad'],
};

const oneImplementation =
  'there is one implementation, at the speed of the fused one and with the bits of foreach=False';

/** Why an option of PyTorch's is left out. */
const leftOut: Readonly<Record<string, string>> = {
  fused: oneImplementation,
  foreach: oneImplementation,
  capturable: 'it is for CUDA graphs',
  differentiable: 'steps are not differentiated',
};

/** A word without case and separators: `weight_decay` and `weightDecay` are one. */
export function plainWord(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** The option among these that is meant by a word which is no mere slip. */
export function synonymOf(word: string, options: readonly string[]): string | undefined {
  const plain = plainWord(word);
  return options.find(
    (option) =>
      plainWord(option) === plain ||
      (Object.hasOwn(synonyms, option) && synonyms[option]!.includes(plain)),
  );
}

/** Why this option of PyTorch's should be left out, if it is one of those. */
export function whyLeftOut(word: string): string | undefined {
  return Object.hasOwn(leftOut, word) ? leftOut[word] : undefined;
}
