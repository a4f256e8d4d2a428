/** State as TensorFlow.js's own optimizers save it: either side reads the other's files. */

import { GradstepError } from '../../support/errors.ts';
import type { Floats } from '../../support/typed-arrays.ts';
import type { RestoredState, VariableState, WeightsFormat } from '../optimizer-weights.ts';
import { SavedNames } from '../saved-names.ts';
import type { NamedTensorLike } from '../tensorflow.ts';
import type { CompatibleSpec } from './compatible-optimizers.ts';

/** `iter`, then one kind of state after the other, each over all variables. */
export function compatibleFormat({ weights, filledWith }: CompatibleSpec): WeightsFormat {
  return {
    encode(tf, optimizer, members, iterations) {
      const kinds = weights.filter(
        ({ state }) => state !== 'mg' || Reflect.get(optimizer.defaults, 'centered') === true,
      );
      const first = filledWith ? Number(Reflect.get(optimizer.defaults, filledWith)) : 0;
      return [
        { name: 'iter', tensor: tf.tensor([iterations], [], 'int32') },
        ...kinds.flatMap(({ suffix, state }) =>
          members.map((member): NamedTensorLike => {
            const known = optimizer.state.get(member) as Record<string, Floats> | undefined;
            const values = known?.[state] ?? new Float32Array(member.variable.size).fill(first);
            const shape = [...member.shape];
            const tensor = tf.tensor(new Float32Array(values), shape, 'float32');
            return { name: `${member.name}/${suffix}`, tensor };
          }),
        ),
      ];
    },

    async decode(given): Promise<RestoredState> {
      const [first, ...others] = given;
      const iterations = Number(((await first?.tensor.data()) as ArrayLike<number>)?.[0]);
      if (!Number.isSafeInteger(iterations)) {
        throw new GradstepError(
          'ERR_STATE_DICT',
          'Expected weights to begin with the number of iterations, as getWeights() gives them',
        );
      }
      const states = new Map<string, Record<string, number | Floats>>();
      for (const { name, tensor } of others) {
        const at = name.lastIndexOf('/');
        const kind = weights.find(({ suffix }) => suffix === name.slice(at + 1));
        if (kind === undefined) throw unknownWeight(name);
        const key = name.slice(0, at);
        if (!states.has(key)) states.set(key, { step: iterations });
        states.get(key)![kind.state] = new Float32Array((await tensor.data()) as Floats);
      }
      const entries = Array.from(states, ([name, state]): [string, VariableState] => {
        return [name, { name, state }];
      });
      // Before the first step there is no state here, only what it begins with.
      return {
        iterations,
        states: new SavedNames(iterations > 0 ? entries : []),
        taken: new Set(),
      };
    },
  };
}

function unknownWeight(name: string): GradstepError {
  return new GradstepError(
    'ERR_STATE_DICT',
    `Expected weights of this optimizer, as getWeights() gives them, but received '${name}'`,
  );
}
