/**
 * Variables of the cpu backend that lie side by side in one flat block of memory, which other
 * threads can see: steps write it in place.
 */

import { ParameterArena } from '../parameters/parameter-arena.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { type Floats, lengthOf } from '../support/typed-arrays.ts';
import { setHome } from './memory/arena-homes.ts';
import { isCpuBackend } from './memory/cpu.ts';
import { listVariables } from './selection.ts';
import type { TensorFlow, VariableLike } from './tensorflow.ts';

/** Variables with the arena that they lie in. */
export interface ArenaVariables<V extends VariableLike = VariableLike> {
  readonly arena: ParameterArena;
  readonly variables: readonly V[];
}

/**
 * Moves variables into an arena, with their values; or onto one that another thread made, whose
 * values they then have. Optimizers of `bindTfjs` write them where they lie.
 *
 * ```ts
 * const { arena } = arenaVariables(tf, model);
 * new Worker(url, { workerData: arena.describe() });
 * // there, with the same model:
 * arenaVariables(tf, model, ParameterArena.open(workerData));
 * ```
 *
 * What is assigned to such a variable, as `model.setWeights` does, comes into the arena with the
 * next step.
 *
 * @param given A model, layers, or variables; all of the cpu backend.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER`, `ERR_BACKEND`, `ERR_OUT_OF_MEMORY`; nothing has
 * changed then.
 */
export function arenaVariables(
  tf: TensorFlow,
  given: unknown,
  arena?: ParameterArena,
): ArenaVariables {
  const variables = listVariables(given);
  const backends = variables.map((variable) => cpuOf(tf, variable));
  const shapes = variables.map(({ name, shape }) => [name, shape] as const);
  const home = arena ?? new ParameterArena(shapes);
  const { parameters } = home;
  checkShapes(variables, parameters);
  for (const [i, variable] of variables.entries()) {
    const { data } = parameters[i]!;
    if (arena === undefined) data.set(variable.dataSync() as Floats);
    const tensor = tf.engine().makeTensor(data, [...variable.shape], 'float32', backends[i]);
    variable.assign(tensor);
    tensor.dispose();
    setHome(variable, data);
  }
  return { arena: home, variables };
}

function cpuOf(tf: TensorFlow, variable: VariableLike): object {
  const { state, registry } = tf.engine();
  const backend = state.tensorInfo.get(variable.dataId)?.backend;
  if (backend !== undefined && backend === registry.cpu && isCpuBackend(backend)) return backend;
  throw new GradstepError(
    'ERR_BACKEND',
    `Expected variable '${variable.name}' to be of the cpu backend: others have memory of their own`,
  );
}

function checkShapes(
  variables: readonly VariableLike[],
  parameters: ParameterArena['parameters'],
): void {
  for (const [i, { name, shape, size }] of variables.entries()) {
    const there = parameters[i];
    if (there !== undefined && lengthOf(there.data) === size) continue;
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected parameter ${i} of the arena to have the shape [${shape.join(', ')}] of variable ` +
        `'${name}' but received ${there ? `[${there.shape.join(', ')}]` : describe(there)}`,
    );
  }
}
