/** `gradstep`: everything of `gradstep/portable`, stepped by the native addon where it loads. */

import { chooseBackend } from './backend/choose-backend.ts';

export * from './checkpoint/index.ts';
export * from './portable.ts';

chooseBackend();
