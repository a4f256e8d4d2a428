/** What an average is of. */

import { listParams, type ParamList, type ParamsInput } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { goneSentence } from '../parameters/sentences.ts';
import { GradstepError } from '../support/errors.ts';
import { isGone } from '../support/typed-arrays.ts';

/** Parameters, then buffers. */
export type Rows = Pick<ParamList, 'params' | 'data' | 'labels'>;

/**
 * Reads the parameters and the buffers of an average.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER`, `ERR_DUPLICATE_PARAMETER`, `ERR_NAMES`,
 * `ERR_DETACHED`.
 */
export function listAveraged(
  params: ParamsInput,
  buffers: ParamsInput | undefined,
): { averaged: ParamList; all: Rows } {
  const averaged = listParams(params, undefined, '');
  if (buffers === undefined) return { averaged, all: refuseTwice(averaged) };
  const copied = listParams(buffers, undefined, ' (buffers)');
  const all = refuseTwice({
    params: [...averaged.params, ...copied.params],
    data: [...averaged.data, ...copied.data],
    labels: [...averaged.labels, ...copied.labels],
  });
  const gone = averaged.data.findIndex(isGone); // getters of the buffers may have done that
  if (gone < 0) return { averaged, all };
  throw new GradstepError(
    'ERR_DETACHED',
    goneSentence('data', labelOf(averaged.labels[gone], gone)),
  );
}

/** A parameter in error sentences. */
export function labelOf(name: string | undefined, index: number): string {
  return name === undefined ? `at index ${index}` : `'${name}'`;
}

/** Refuses parameters that stand twice in a list. */
function refuseTwice(rows: Rows): Rows {
  const { params, labels } = rows;
  const seen = new Set<ParameterLike>();
  for (const [i, parameter] of params.entries()) {
    if (seen.has(parameter)) {
      throw new GradstepError(
        'ERR_DUPLICATE_PARAMETER',
        `parameter ${labelOf(labels[i], i)} is given twice`,
      );
    }
    seen.add(parameter);
  }
  return rows;
}
