/** The network: 62,006 parameters in two parts, `features` and `classifier`. */

import type { Parameter } from 'gradstep';
import { crossEntropy } from './cross-entropy.ts';
import { Conv2d, Linear, MaxPool2d, ReLU } from './layers.ts';
import { Module, prefixed, Sequential } from './module.ts';
import type { Random } from './random.ts';
import { sample, type Tensor } from './tensor.ts';

/** Takes pictures of 3 channels, 32 rows and 32 columns; gives a score for each of 10 classes. */
export class LeNet extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;
  #featureShape: readonly number[] = [];

  constructor(random: Random) {
    super();
    this.features = new Sequential(
      new Conv2d(3, 6, 5, random),
      new ReLU(),
      new MaxPool2d(2),
      new Conv2d(6, 16, 5, random),
      new ReLU(),
      new MaxPool2d(2),
    );
    this.classifier = new Sequential(
      new Linear(16 * 5 * 5, 120, random),
      new ReLU(),
      new Linear(120, 84, random),
      new ReLU(),
      new Linear(84, 10, random),
    );
  }

  override namedParameters(): [string, Parameter][] {
    return [...prefixed('features', this.features), ...prefixed('classifier', this.classifier)];
  }

  forward(images: Tensor): Tensor {
    const { data, shape } = this.features.forward(images);
    this.#featureShape = shape;
    return this.classifier.forward({ data, shape: [shape[0]!, data.length / shape[0]!] });
  }

  /** Adds the gradients of all parameters, given that of the scores. */
  backward(gradient: Tensor): void {
    const { data } = this.classifier.backward(gradient);
    this.features.accumulate({ data, shape: this.#featureShape });
  }

  /** The loss on a batch, after adding its gradients to those of the parameters. */
  lossAndGradients(images: Tensor, labels: Uint8Array): number {
    const loss = crossEntropy(this.forward(images), labels);
    this.backward(loss.gradient);
    return loss.value;
  }

  /** The class with the highest score for each picture. */
  classify(images: Tensor): number[] {
    const scores = this.forward(images);
    return Array.from({ length: images.shape[0]! }, (_, n) => {
      const row = sample(scores, n);
      return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    });
  }

  /** Another network with the same values. */
  copy(): LeNet {
    const copy = new LeNet(() => 0);
    const originals = this.parameters();
    copy.parameters().forEach((parameter, i) => {
      parameter.data.set(originals[i]!.data);
    });
    return copy;
  }
}
