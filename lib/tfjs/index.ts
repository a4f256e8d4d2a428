/** `gradstep/tfjs`: gradstep's optimizers for TensorFlow.js, stepped by the addon where it loads. */

import '../index.ts';

export * from './portable.ts';
