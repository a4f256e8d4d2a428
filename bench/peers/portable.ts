/** gradstep without its native addon: the same bits in TypeScript. */

import { backend, setBackend } from 'gradstep';
import { subject } from '../measure.ts';
import { makeOptimizer, makeParameters } from '../model.ts';
import type { Peer } from './peer.ts';

const NAME = 'gradstep/portable';

export const portable: Peer = {
  name: NAME,
  most: { values: 1.1e7, tensors: 10_000 },
  async open() {
    return (optimizer, lengths) => {
      const before = backend();
      setBackend('portable');
      const made = makeOptimizer(optimizer, makeParameters(lengths, 'separate'));
      setBackend(before);
      return subject(
        NAME,
        () => made.step(),
        () => made.dispose(),
      );
    };
  },
};
