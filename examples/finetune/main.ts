/** Starts the demo; see demo.ts. */

import { start } from '../lenet/start.ts';
import { runFinetune } from './demo.ts';

await start(runFinetune);
