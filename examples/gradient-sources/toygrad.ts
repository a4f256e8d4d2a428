/** toygrad: its parameters and gradients are Float32Arrays, which gradstep steps where they lie. */

import { AdamW } from 'gradstep';
import { NeuralNetwork, Tensor } from 'toygrad';

type Floats = { params: Float32Array; grads: Float32Array };

/** Learns exclusive or, and gives what it makes of the four inputs. */
export function learnXor(steps: number): number[] {
  const nn = new NeuralNetwork({
    layers: [
      { type: 'input', sx: 1, sy: 1, sz: 2 },
      { type: 'dense', filters: 8 },
      { type: 'tanh' },
      { type: 'dense', filters: 2 },
      { type: 'softmax' },
    ],
  });
  const params = nn.getParamsAndGrads().map((of: Floats) => ({ data: of.params, grad: of.grads }));
  const optimizer = new AdamW(params, { lr: 0.02, gradScale: 1 / 4, zeroGradInStep: true });
  const inputs = [0, 1, 2, 3].map((i) => new Tensor(1, 1, 2, [i & 1, i >> 1]));
  for (let step = 0; step < steps; step++) {
    for (const [i, input] of inputs.entries()) {
      nn.forward(input, true);
      nn.backward(((i & 1) ^ (i >> 1)) as never); // gradients add up over the batch
    }
    optimizer.step();
  }
  return inputs.map((input) => Number(nn.forward(input, false).w[1]! > 0.5));
}
