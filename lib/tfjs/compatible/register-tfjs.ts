/** `registerTfjs(tf)`: the optimizers of `tf.train` become native, and nothing else changes. */

import { describe } from '../../support/describe.ts';
import { GradstepError } from '../../support/errors.ts';
import { checkTfjs } from '../bind.ts';
import type { TensorFlow } from '../tensorflow.ts';
import { compatibleClass } from './compatible-class.ts';
import { COMPATIBLE } from './compatible-optimizers.ts';

/** `tf` with its table of optimizers. */
interface WithTrain extends TensorFlow {
  readonly train: object;
}

const registered = new WeakSet<object>();

/**
 * Lets `tf.train.sgd`, `momentum`, `rmsprop`, `adagrad`, `adadelta`, `adam` and `adamax` make
 * optimizers that are stepped natively, with TensorFlow.js's own formulas, defaults and bits;
 * `model.compile({ optimizer: 'adam' })` and `loadLayersModel` then have them too. May be called
 * again. `import 'gradstep/tfjs/register'` does it with the `@tensorflow/tfjs` that is installed.
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no TensorFlow.js.
 */
export function registerTfjs(tf: WithTrain): void {
  checkTfjs(tf);
  const { train } = tf;
  if (typeof train !== 'function' && typeof train !== 'object') {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected tf.train to have optimizers but received ${describe(train)}`,
    );
  }
  if (registered.has(train)) return;
  for (const spec of COMPATIBLE) {
    const Class = compatibleClass(tf, spec);
    tf.serialization.registerClass(Class as never);
    Object.assign(train, { [spec.name]: (...args: unknown[]) => new Class(...args) });
  }
  registered.add(train);
}
