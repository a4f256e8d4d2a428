/**
 * What an option of a group was before any schedule changed it. torch keeps this as `initial_lr`
 * in the group; schedules that are made later start from it too.
 */

const initialValues = new WeakMap<object, Map<string, number>>();

/** @param option Such as `lr` or `betas[0]`. */
export function initialValue(group: object, option: string): number | undefined {
  return initialValues.get(group)?.get(option);
}

export function setInitialValue(group: object, option: string, value: number): void {
  const values = initialValues.get(group) ?? new Map<string, number>();
  initialValues.set(group, values.set(option, value));
}

/** Puts back what `initialValue` gave before a change that failed. */
export function resetInitialValue(group: object, option: string, before: number | undefined): void {
  if (before !== undefined) setInitialValue(group, option, before);
  else initialValues.get(group)?.delete(option);
}

/** All of a group, by option. */
export function initialValuesOf(group: object): Record<string, number> {
  return Object.fromEntries(initialValues.get(group) ?? []);
}

/** From now on these and no others. */
export function replaceInitialValues(group: object, values: ReadonlyMap<string, number>): void {
  initialValues.set(group, new Map(values));
}
