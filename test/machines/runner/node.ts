/**
 * What another machine runs: loads the installed package, steps the goldens on each instruction
 * set, and again in a worker. Ends with 0 if all is well.
 *
 * node runner.mjs avx2,scalar [limit]     the instruction sets that must be there, best first; of
 *                                         the backend that GRADSTEP_BACKEND names, or native
 */

import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { backend, isa, isas, setIsa } from 'gradstep';
import { type Checked, checkGoldens, told } from './check.ts';

const BACKEND = process.env.GRADSTEP_BACKEND || 'native';

const WORKER_CASES = 20; // the arithmetic is the main thread's: this is about loading and stepping

function checkEachIsa(expected: string, limit: number): boolean {
  if (backend() !== BACKEND || isa() !== isas()[0] || isas().join() !== expected) {
    console.log(`Expected ${BACKEND} on ${expected} but found ${backend()} on ${isas()}`);
    return false;
  }
  return isas().every((name) => {
    setIsa(name);
    const checked = checkGoldens(limit);
    console.log(`${name}: ${told(checked)}`);
    return checked.cases > 0 && checked.wrong.length === 0;
  });
}

async function checkInWorker(): Promise<boolean> {
  const worker = new Worker(fileURLToPath(import.meta.url));
  const [name, checked] = await new Promise<[string, Checked]>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  console.log(`worker, ${name}: ${told(checked)}`);
  return name === BACKEND && checked.cases > 0 && checked.wrong.length === 0;
}

if (isMainThread) {
  const [expected = '', limit = 'Infinity'] = process.argv.slice(2);
  const { platform, arch, version } = process;
  console.log(`${platform}-${arch} ${version}`);
  const fine = checkEachIsa(expected, Number(limit)) && (await checkInWorker());
  process.exitCode = fine ? 0 : 1;
} else {
  parentPort!.postMessage([backend(), checkGoldens(WORKER_CASES)]);
}
