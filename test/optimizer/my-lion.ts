/** The example of docs/optimizers.md, which a test compares with this. */

import { Optimizer, type OptionsOf, option, type StateOf, type Update } from 'gradstep';

export class MyLion extends Optimizer<
  OptionsOf<typeof MyLion.defaults>,
  StateOf<typeof MyLion.state>
> {
  static defaults = { lr: option.number(1e-4, { min: 0 }), betas: [0.9, 0.99], weightDecay: 0 };
  static state = ['expAvg'] as const;

  override update({ data, grad, state: { expAvg }, group }: Update<MyLion>) {
    const { lr, weightDecay } = group;
    const [beta1, beta2] = group.betas;
    for (let i = 0; i < data.length; i++) {
      const sign = Math.sign(beta1 * expAvg[i]! + (1 - beta1) * grad[i]!);
      expAvg[i] = beta2 * expAvg[i]! + (1 - beta2) * grad[i]!;
      data[i] = data[i]! * (1 - lr * weightDecay) - lr * sign;
    }
  }
}
