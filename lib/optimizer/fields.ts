/**
 * Fields of an optimizer: those that it shows cannot be replaced, and what looks like an option but
 * is a group's is refused instead of being kept without a word.
 */

import { plainWord } from '../options/elsewhere.ts';
import { STEP_KEYS } from '../stepping/step-options.ts';
import { GradstepError } from '../support/errors.ts';
import { watchNewFields } from '../support/read-only.ts';

/** What groups have beside their options, and optimizers have not. */
const OF_GROUPS = ['params', 'frozen'];

/**
 * Refuses assignments to fields that an object of this class does not have, if they are names of
 * options.
 * @param optionsOf Names of the options that its groups have; undefined for other objects.
 */
export function refuseOptions(
  prototype: object,
  optionsOf: (object: object) => readonly string[] | undefined,
): void {
  watchNewFields(prototype, (object, key) => {
    const options = optionsOf(object);
    if (options !== undefined) refuse(key, options);
  });
}

function refuse(key: string, options: readonly string[]): void {
  const word = plainWord(key) === 'learningrate' ? 'lr' : plainWord(key);
  const isMeant = (option: string) => plainWord(option) === word;
  const ofGroups = [...options, ...OF_GROUPS].find(isMeant);
  const ofSteps = STEP_KEYS.find(isMeant);
  const advice = ofGroups
    ? `it is a group's: optimizer.paramGroups[0].${ofGroups}`
    : `set it in optimizer.stepOptions.${ofSteps}`;
  if (ofGroups === undefined && ofSteps === undefined) return;
  throw new GradstepError(
    'ERR_UNKNOWN_OPTION',
    `An optimizer has no '${key}' of its own; ${advice}`,
  );
}
