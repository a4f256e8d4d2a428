/** The update rule of an average whose arithmetic is a function of the user's. */

import { countCall, type Pace } from '../backend/portable/rules/average.ts';
import { type Arrays, type Rule, STEP_COUNT } from '../backend/portable/rules/rule.ts';
import { goneSentence } from '../parameters/sentences.ts';
import { ignoreRejection, isThenable } from '../stepping/closure.ts';
import { reasonOf } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { copyFloats, type Doubles, type Floats, isWhole } from '../support/typed-arrays.ts';

/**
 * Takes the present values of one parameter into its average, in place.
 * @param average The average so far; to be written.
 * @param values The parameter's values; to be read only.
 * @param nAveraged How many updates there have been before; at least 1, for the first one copies.
 */
export type AverageFunction = (average: Floats, values: Floats, nAveraged: number) => void;

export class FunctionRule implements Rule<number | undefined> {
  readonly isOwn = true;
  readonly name = 'AveragedModel';
  readonly fields: readonly string[] = ['updateEvery', 'updateAfterStep'];
  readonly record = STEP_COUNT;
  readonly #avgFn: AverageFunction;
  readonly #labelOf: (average: Floats) => string;

  constructor(avgFn: AverageFunction, labelOf: (average: Floats) => string) {
    this.#avgFn = avgFn;
    this.#labelOf = labelOf;
  }

  prepare([updateEvery, updateAfterStep]: Doubles, record: Doubles): number | undefined {
    return countCall(record, { updateEvery, updateAfterStep } as Pace);
  }

  update(before: number | undefined, { data, grad, length }: Arrays): void {
    if (before === undefined) return;
    // The function may have done that, at a parameter before this one.
    if (!isWhole(grad, length))
      throw new GradstepError('ERR_DETACHED', goneSentence('data', this.#labelOf(data)));
    if (before === 0) copyFloats(data, grad, length);
    else this.#call(data, grad, before);
  }

  #call(average: Floats, values: Floats, nAveraged: number): void {
    try {
      const result: unknown = Reflect.apply(this.#avgFn, undefined, [average, values, nAveraged]);
      if (!isThenable(result)) return;
      ignoreRejection(result);
      throw new TypeError('it returned a promise, but must end at once');
    } catch (cause) {
      const reason = reasonOf(cause);
      throw new GradstepError(
        'ERR_UPDATE',
        `avgFn failed at parameter ${this.#labelOf(average)}: ${reason}. Averages before it have ` +
          'been updated, those after it have not',
        { cause },
      );
    }
  }
}
