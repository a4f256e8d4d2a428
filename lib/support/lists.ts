/** Lists in place. */

/**
 * An empty list with room for one: V8 gives a list that begins without room seventeen places with
 * its first, and most lists of an optimizer have one, or a hundred thousand optimizers have them.
 */
export function roomForOne<T>(): T[] {
  const list = [undefined as T];
  list.pop();
  return list;
}

/** Takes what stands at these places, in increasing order, out of a list. */
export function takeOut(list: unknown[], places: readonly number[]): void {
  let to = places[0] ?? list.length;
  if (to >= list.length) return;
  for (let from = to, next = 0; from < list.length; from++) {
    if (from === places[next]) next += 1;
    else list[to++] = list[from];
  }
  list.length = to;
}

/** Holes in a list, as many as `count`; what stands from `first` on moves up. */
export function openUp(list: unknown[], first: number, count: number): void {
  if (first >= list.length) return;
  const behind = list.splice(first);
  list.length = first + count;
  for (const item of behind) list.push(item);
}
