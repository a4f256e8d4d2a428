import type { Peer } from './peer.ts';
import { openTfjs } from './tfjs.ts';

const name = 'tfjs cpu';

/** TensorFlow.js in plain JavaScript. */
export const tfjsCpu: Peer = {
  name,
  most: { values: 1e5, tensors: 200 },
  open: () => openTfjs(name, 'cpu'),
};
