/** What the parts of a network have in common: layers, sequences of layers, the whole. */

import type { Parameter } from 'gradstep';
import type { Tensor } from './tensor.ts';

/** Anything with parameters. */
export abstract class Module {
  /** The parameters with their names, such as `features.0.weight`. */
  namedParameters(): [string, Parameter][] {
    return [];
  }

  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** The number of values in all parameters. */
  get size(): number {
    return this.parameters().reduce((total, parameter) => total + parameter.length, 0);
  }
}

/** Prefixes the names of a part's parameters with that of the part. */
export function prefixed(part: string | number, module: Module): [string, Parameter][] {
  return module.namedParameters().map(([name, parameter]) => [`${part}.${name}`, parameter]);
}

/** One step of the computation. The two backward methods speak of the latest `forward`. */
export abstract class Layer extends Module {
  abstract forward(input: Tensor): Tensor;

  /** The gradient of the input, given that of the output. */
  abstract backward(gradient: Tensor): Tensor;

  /** Adds the gradients of the parameters, given that of the output. */
  accumulate(_gradient: Tensor): void {}
}

/** Layers one after the other. */
export class Sequential extends Module {
  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.layers = layers;
  }

  override namedParameters(): [string, Parameter][] {
    return this.layers.flatMap((layer, index) => prefixed(index, layer));
  }

  forward(input: Tensor): Tensor {
    return this.layers.reduce((batch, layer) => layer.forward(batch), input);
  }

  /** Adds the gradients of all parameters and gives that of the input. */
  backward(gradient: Tensor): Tensor {
    return this.layers[0]!.backward(this.accumulate(gradient));
  }

  /** The same where nobody wants the input's gradient; gives that of the first layer's output. */
  accumulate(gradient: Tensor): Tensor {
    let passed = gradient;
    for (const layer of this.layers.slice(1).reverse()) {
      layer.accumulate(passed);
      passed = layer.backward(passed);
    }
    this.layers[0]!.accumulate(passed);
    return passed;
  }
}
