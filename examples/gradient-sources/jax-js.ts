/** jax-js: its memory is its own, so that values go in and gradients come out as copies. */

import { init, jit, numpy as np, valueAndGrad } from '@jax-js/jax';
import { AdamW, Parameter } from 'gradstep';

/** Fits a line to points on one, and gives the loss of every step. */
export async function fitLine(steps: number): Promise<{ losses: number[]; line: number[] }> {
  await init('wasm');
  const xs = Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1);
  const line = Parameter.zeros([2], { name: 'line' });
  const optimizer = new AdamW([line], { lr: 0.05, weightDecay: 0 });
  const loss = (ab: np.Array, x: np.Array, y: np.Array) => {
    const [a, b] = [ab.ref.slice(0), ab.slice(1)];
    return np.square(x.mul(a).add(b).sub(y)).mean();
  };
  const lossAndGrad = jit(valueAndGrad(loss));
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const ys = xs.map((x) => 3 * x - 1);
    const [value, grad] = lossAndGrad(np.array(line.data.slice()), np.array(xs), np.array(ys));
    line.grad = (await grad.data()) as Float32Array;
    losses.push((await value.data())[0]!);
    optimizer.step();
  }
  return { losses, line: [...line.data] };
}
