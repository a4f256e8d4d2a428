/**
 * PyTorch on its CPU, with Python around it as its users have it. It runs in a process of its own,
 * burst by burst in turn with everybody else; torch_peer.py is what runs there.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import type { Subject } from '../measure.ts';
import { SETTINGS } from '../model.ts';
import type { Setting } from '../results.ts';
import { root } from '../root.ts';
import { valuesOf, type Workload } from '../workload.ts';

/** The three ways in which torch.optim steps. */
type Variant = 'loop' | 'foreach' | 'fused';

/** Beyond this the unfused ways take seconds a step. */
const FUSED_ONLY = 3e7;

/** Milliseconds in which torch's threads stop spinning, so that they are in nobody's way. */
const PAUSE = 5;

export class Torch {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** What it said last when something was wrong. */
  #complaint = '';
  #opened = 0;
  #ended = false;

  private constructor(command: string) {
    const [program, ...args] = command.split(/\s+/);
    const script = join(root, 'bench', 'peers', 'torch_peer.py');
    const child = spawn(program!, [...args, script]);
    child.on('error', ({ message }) => {
      this.#complaint = message;
    });
    child.stdin.on('error', () => {}); // it has ended: the next answer tells
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = text.trim().split('\n').at(-1) || this.#complaint;
    });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws {Error} Saying why it cannot be measured. */
  static async open(command: string): Promise<Torch> {
    const torch = new Torch(command);
    try {
      await torch.#answer();
      return torch;
    } catch (error) {
      torch.close();
      throw new Error(`'${command}' failed: ${(error as Error).message}`);
    }
  }

  /** Whether it has said its last. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** The ways in which it is measured at this work; only the fastest one when time is short. */
  async subjects(workload: Workload, setting: Setting, short: boolean): Promise<Subject[]> {
    const fusedOnly = short || valuesOf(workload) > FUSED_ONLY;
    const variants: Variant[] = fusedOnly ? ['fused'] : ['loop', 'foreach', 'fused'];
    const subjects: Subject[] = [];
    for (const variant of variants) {
      subjects.push(await this.#subject(workload, setting, variant));
    }
    return subjects;
  }

  async #subject(
    { lengths }: Workload,
    { optimizer, threads }: Setting,
    variant: Variant,
  ): Promise<Subject> {
    const open = this.#opened++;
    const settings = SETTINGS[optimizer];
    await this.#ask({ open, lengths: runsOf(lengths), optimizer, settings, threads, variant });
    return {
      name: `torch ${variant}`,
      run: async (steps) => {
        const { time } = await this.#ask({ run: open, steps });
        await setTimeout(PAUSE);
        return time as number;
      },
      close: async () => {
        await this.#ask({ close: open });
      },
    };
  }

  close(): void {
    this.#child.stdin!.end();
    this.#child.stdout!.destroy();
    this.#child.kill();
  }

  #ask(question: object): Promise<{ readonly time?: number }> {
    this.#child.stdin!.write(`${JSON.stringify(question)}\n`);
    return this.#answer();
  }

  async #answer(): Promise<{ readonly time?: number }> {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    this.#ended = true;
    await setTimeout(0); // its last words may still be on their way
    throw new Error(this.#complaint || 'it ended');
  }
}

/** Lengths as [length, how many of it], for a short line. */
function runsOf(lengths: readonly number[]): [length: number, count: number][] {
  const runs: [number, number][] = [];
  for (const length of lengths) {
    const last = runs.at(-1);
    if (last?.[0] === length) last[1] += 1;
    else runs.push([length, 1]);
  }
  return runs;
}
