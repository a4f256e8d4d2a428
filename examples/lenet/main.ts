/** Starts the demo; see demo.ts. */

import { runDemo } from './demo.ts';
import { start } from './start.ts';

await start(runDemo);
