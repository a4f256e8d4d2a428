/** What the threads of a data-parallel run share, and how each does its part. */

import { AdamW, type ArenaDescription, ParameterArena } from 'gradstep';
import { batch } from '../lenet/digits.ts';
import { LeNet } from '../lenet/lenet.ts';
import type { Digits } from '../lenet/mnist.ts';
import { seeded, shuffled } from '../lenet/random.ts';
import { Barrier } from './barrier.ts';

/** Gradients are computed per chunk and summed in the order of the chunks, whoever computed them. */
export const CHUNKS = 8;

/** Everything is shared memory or a few numbers, so `workerData` carries it without copying. */
export interface Job {
  readonly threads: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: number;
  readonly digits: Digits;
  readonly arena: ArenaDescription;
  /** A block of gradients for each chunk, laid out as the arena. */
  readonly blocks: readonly Float32Array[];
  /** The loss of each chunk at the present step. */
  readonly losses: Float64Array;
  readonly barrier: Int32Array;
}

/** Makes the shared memory of a job and puts the first weights into it. */
export function makeJob(
  numbers: Pick<Job, 'threads' | 'steps' | 'batchSize' | 'lr' | 'seed'>,
  { pixels, labels }: Digits,
): Job {
  const net = new LeNet(seeded(numbers.seed));
  const shapes = net.namedParameters().map(([name, { shape }]) => [name, shape] as const);
  const arena = new ParameterArena(shapes);
  net.parameters().forEach(({ data }, i) => {
    arena.parameters[i]!.data.set(data);
  });
  const floats = () => new Float32Array(new SharedArrayBuffer(arena.data.byteLength));
  return {
    ...numbers,
    digits: { pixels: shared(pixels), labels: shared(labels) },
    arena: arena.describe(),
    blocks: Array.from({ length: CHUNKS }, floats),
    losses: new Float64Array(new SharedArrayBuffer(CHUNKS * 8)),
    barrier: new Int32Array(new SharedArrayBuffer(8)),
  };
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** A network whose values lie in the arena and whose gradients lie in a block of their own. */
function netOver(arena: ParameterArena): { net: LeNet; useBlock(block: Float32Array): void } {
  const net = new LeNet(() => 0);
  const parameters = net.parameters();
  parameters.forEach((parameter, i) => {
    parameter.data = arena.parameters[i]!.data;
  });
  return {
    net,
    useBlock(block) {
      block.fill(0);
      parameters.forEach((parameter, i) => {
        const { data } = arena.parameters[i]!;
        const begin = (data.byteOffset - arena.data.byteOffset) / 4;
        parameter.grad = block.subarray(begin, begin + data.length);
      });
    },
  };
}

/**
 * The part of thread `me`: gradients of every `threads`-th chunk, then the sum and the step of
 * one shard. Yields the loss of each step. The bits do not depend on the number of threads: the
 * chunks, the order of their sum and the update of each value are the same.
 */
export function* work(job: Job, me: number): Generator<number, void, void> {
  const { threads, steps, batchSize, digits, blocks, losses } = job;
  const arena = ParameterArena.open(job.arena);
  const { net, useBlock } = netOver(arena);
  const shard = arena.shard(me, threads);
  const shardOf = (block: Float32Array) => {
    const begin = (shard.data.byteOffset - arena.data.byteOffset) / 4;
    return block.subarray(begin, begin + shard.data.length);
  };
  const optimizer = new AdamW([shard], { lr: job.lr });
  const barrier = new Barrier(job.barrier, threads);
  const order = shuffled(digits.labels.length, seeded(job.seed));
  for (let step = 0; step < steps; step++) {
    for (let chunk = me; chunk < CHUNKS; chunk += threads) {
      const size = batchSize / CHUNKS;
      const from = (step * batchSize + chunk * size) % (order.length - size + 1);
      const { images, labels } = batch(digits, order.subarray(from, from + size));
      useBlock(blocks[chunk]!);
      losses[chunk] = net.lossAndGradients(images, labels);
    }
    barrier.wait(); // all gradients are there
    sumInto(shard.grad!, blocks.map(shardOf));
    optimizer.step();
    const loss = losses.reduce((sum, value) => sum + value, 0) / CHUNKS;
    barrier.wait(); // all shards are stepped
    yield loss;
  }
}

/** The mean of the blocks, always summed in the same order. */
function sumInto(sum: Float32Array, blocks: readonly Float32Array[]): void {
  for (let i = 0; i < sum.length; i++) {
    let total = 0;
    for (const block of blocks) total += block[i]!;
    sum[i] = total / blocks.length;
  }
}
