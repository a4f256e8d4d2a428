/**
 * Fields of an optimizer: those that it shows cannot be replaced, and what looks like an option but
 * is a group's is refused instead of being kept without a word.
 */

import { plainWord } from '../options/elsewhere.ts';
import { STEP_KEYS } from '../stepping/step-options.ts';
import { GradstepError } from '../support/errors.ts';

/** What groups have beside their options, and optimizers have not. */
const OF_GROUPS = ['params', 'frozen'];

/**
 * Lets assignments to fields that an object of this class does not have pass, but for names of
 * options: those throw. Fields that a subclass declares, and accessors that it defines, are its own
 * affair and never come here.
 * @param optionsOf Names of the options that its groups have; undefined for other objects.
 */
export function refuseOptions(
  prototype: object,
  optionsOf: (object: object) => readonly string[] | undefined,
): void {
  const guard = new Proxy(Object.create(Object.getPrototypeOf(prototype)) as object, {
    set(_target, key, value, object: object) {
      const options = typeof key === 'string' ? optionsOf(object) : undefined;
      if (options !== undefined) refuse(key as string, options);
      const plain = { value, writable: true, enumerable: true, configurable: true };
      return Reflect.defineProperty(object, key, plain);
    },
  });
  Object.setPrototypeOf(prototype, guard);
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
