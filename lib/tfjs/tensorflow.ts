/**
 * As much of TensorFlow.js as is used here. It is passed in by its user: nothing of it is imported,
 * not even types, so that a program without it type-checks too.
 */

/** `tf.Tensor`. */
export interface TensorLike {
  readonly dataId: object;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly size: number;
  readonly isDisposed: boolean;
  dataSync(): unknown;
  data(): Promise<unknown>;
  dispose(): void;
}

/** `tf.Variable`. */
export interface VariableLike extends TensorLike {
  readonly name: string;
  trainable: boolean;
  assign(value: TensorLike): void;
}

/** A tensor as kernels and backends see it. */
export interface TensorInfo {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: string;
}

/** `{ name, tensor }`, as optimizers take gradients and give weights. */
export interface NamedTensorLike {
  readonly name: string;
  readonly tensor: TensorLike;
}

/** What `tf.engine()` gives. */
export interface EngineLike {
  readonly registeredVariables: { readonly [name: string]: VariableLike };
  /** Backends by name. */
  readonly registry: { readonly [name: string]: object };
  readonly state: {
    readonly tensorInfo: { get(dataId: object): { readonly backend: object } | undefined };
  };
  makeTensor(values: unknown, shape: number[], dtype: string, backend?: object): TensorLike;
  makeTensorFromTensorInfo(info: TensorInfo, backend?: object): TensorLike;
}

/** `tf`, as it is passed in. */
export interface TensorFlow {
  engine(): EngineLike;
  tensor(values: unknown, shape?: number[], dtype?: 'float32' | 'int32'): TensorLike;
  tidy(run: () => void): void;
  readonly Optimizer: abstract new (...args: never[]) => object;
  readonly serialization: { registerClass(optimizer: never): unknown };
}

/** The class of optimizers of this `tf`. */
export type OptimizerOf<T extends TensorFlow> = InstanceType<T['Optimizer']>;

/** A weight of a layer, with what is to be done to it after each step. */
export interface LayerWeight {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  read(): TensorLike;
  readonly constraint: { apply(weight: TensorLike): TensorLike } | null;
}

/** The variable of a weight; its types hide it, and `read()` throws once it has been disposed of. */
export function variableOf(weight: LayerWeight): VariableLike {
  return (weight as LayerWeight & { readonly val: VariableLike }).val;
}

/** A layer, or a model: what has weights. */
export interface WeightHolder {
  readonly weights: readonly LayerWeight[];
  readonly trainableWeights: readonly LayerWeight[];
}
