/** Which layer of a network a parameter belongs to, found from the names in their order. */

/**
 * The layer of each name, counted from 0. A numbered block is one layer, up to and with the first
 * number in its names: `blocks.0`, `layer1.2`, `features.3`. What stands before, between and
 * after the blocks is one layer each time: a stem, a head. Where no name has a number, every
 * module is a layer: `conv1`, `fc2`.
 *
 * For a vision transformer this gives the layers of BEiT (`beit/optim_factory.py`,
 * `get_num_layer_for_vit`): tokens, positions and patches are 0, `blocks.i` is i + 1, norm and
 * head are the last.
 */
export function layersOf(names: readonly string[]): Map<string, number> {
  const blocks = names.map(blockOf);
  const numbered = blocks.some((block) => block !== undefined);
  const numbers = new Map<string, number>();
  let last = '';
  const keys = names.map((name, i) => {
    const key = numbered ? (blocks[i] ?? `after ${last}`) : moduleOf(name);
    if (blocks[i] !== undefined) last = blocks[i];
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return key;
  });
  return new Map(names.map((name, i) => [name, numbers.get(keys[i]!)!]));
}

/** `blocks.0` of `blocks.0.norm1.weight`; undefined where no part is a number. */
function blockOf(name: string): string | undefined {
  return /^(?:.*?\.)??\d+(?=\.|$)/s.exec(name)?.[0];
}

/** `fc1` of `fc1.weight`; a name of one part is its own module. */
function moduleOf(name: string): string {
  return name.replace(/(?<=.)\.[^.]*$/s, '');
}
