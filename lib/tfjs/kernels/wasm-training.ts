/**
 * The gradients that TensorFlow.js 4.22 has no kernels for on the wasm backend: with them,
 * convolutions and embeddings can be trained there.
 */

import { describe } from '../../support/describe.ts';
import { GradstepError } from '../../support/errors.ts';
import type { Floats } from '../../support/typed-arrays.ts';
import type { CpuBackend } from '../memory/cpu.ts';
import type { WasmBackend } from '../memory/wasm.ts';
import type { TensorInfo } from '../tensorflow.ts';
import { convFilterGradient } from './conv-filter-gradient.ts';
import type { ConvInfo } from './conv-info.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise-gradients.ts';
import { segmentSum } from './segment-sum.ts';

/** What a kernel is called with. */
interface KernelCall<B> {
  readonly inputs: { readonly [name: string]: TensorInfo };
  readonly attrs: { readonly [name: string]: unknown };
  readonly backend: B;
}

type Kernel<B> = (call: KernelCall<B>) => TensorInfo;

/** As much of `tf` as kernels need. */
export interface KernelRegistry {
  getKernel(kernelName: string, backendName: string): unknown;
  registerKernel(config: { kernelName: string; backendName: string; kernelFunc: never }): void;
  unregisterKernel(kernelName: string, backendName: string): void;
  readonly backend_util: {
    computeConv2DInfo(...args: never[]): ConvInfo;
    convertConv2DDataFormat(format: never): ConvInfo['dataFormat'];
  };
}

const ours = new WeakSet<object>();

/**
 * Lets `tf` train convolutions, depthwise and separable convolutions and embeddings on the wasm
 * backend, and embeddings on the cpu backend, whose own kernel needs a pass for each row of the
 * table. A kernel that the wasm backend has by itself is left alone. May be called again.
 *
 * ```ts
 * import '@tensorflow/tfjs-backend-wasm';
 * enableWasmTraining(tf);
 * await tf.setBackend('wasm');
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no TensorFlow.js.
 */
export function enableWasmTraining(tf: KernelRegistry): void {
  checkRegistry(tf);
  const wasm: Record<string, Kernel<WasmBackend>> = {
    Conv2DBackpropFilter: (call) =>
      convolve(tf, call, false, call.attrs.filterShape as number[], {
        inputs: ['x', 'dy'],
        gradient: convFilterGradient,
      }),
    DepthwiseConv2dNativeBackpropFilter: (call) =>
      convolve(tf, call, true, call.attrs.filterShape as number[], {
        inputs: ['x', 'dy'],
        gradient: depthwiseFilterGradient,
      }),
    DepthwiseConv2dNativeBackpropInput: (call) =>
      convolve(tf, call, true, call.attrs.inputShape as number[], {
        inputs: ['dy', 'filter'],
        gradient: depthwiseInputGradient,
      }),
    UnsortedSegmentSum: wasmSegmentSum,
  };
  for (const [name, kernel] of Object.entries(wasm)) {
    if (!tf.getKernel(name, 'wasm')) register(tf, name, 'wasm', kernel);
  }
  replace(tf, 'UnsortedSegmentSum', 'cpu', cpuSegmentSum);
}

function checkRegistry(tf: unknown): void {
  const { getKernel, registerKernel, unregisterKernel, backend_util } = Object(
    tf,
  ) as Partial<KernelRegistry>;
  const functions = [
    getKernel,
    registerKernel,
    unregisterKernel,
    backend_util?.computeConv2DInfo,
    backend_util?.convertConv2DDataFormat,
  ];
  if (functions.every((each) => typeof each === 'function')) return;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected TensorFlow.js with its registry of kernels but received ${describe(tf)}`,
  );
}

function register<B>(tf: KernelRegistry, name: string, backend: string, kernel: Kernel<B>): void {
  ours.add(kernel);
  tf.registerKernel({ kernelName: name, backendName: backend, kernelFunc: kernel as never });
}

function replace<B>(tf: KernelRegistry, name: string, backend: string, kernel: Kernel<B>): void {
  const known = tf.getKernel(name, backend) as { readonly kernelFunc: object } | undefined;
  if (known !== undefined && ours.has(known.kernelFunc)) return;
  if (known !== undefined) tf.unregisterKernel(name, backend);
  register(tf, name, backend, kernel);
}

/** One of the three gradients: of which inputs, and how. */
interface ConvGradient {
  readonly inputs: readonly [string, string];
  readonly gradient: (info: ConvInfo, a: Floats, b: Floats, out: Floats) => void;
}

function convolve(
  tf: KernelRegistry,
  { inputs, attrs, backend }: KernelCall<WasmBackend>,
  isDepthwise: boolean,
  outShape: number[],
  { inputs: names, gradient }: ConvGradient,
): TensorInfo {
  const [a, b] = [inputs[names[0]]!, inputs[names[1]]!];
  const inputShape = attrs.inputShape ?? inputs.x!.shape;
  const filterShape = attrs.filterShape ?? inputs.filter!.shape;
  const { strides, pad, dimRoundingMode, dilations, dataFormat } = attrs;
  const format = dataFormat ?? 'NHWC'; // depthwise kernels are not told
  const info = tf.backend_util.computeConv2DInfo(
    ...([
      inputShape,
      filterShape,
      strides,
      dilations ?? 1,
      pad,
      dimRoundingMode,
      isDepthwise,
      tf.backend_util.convertConv2DDataFormat(format as never),
    ] as never[]),
  );
  const out = backend.makeOutput([...outShape], 'float32');
  // After the output: it may have made the heap grow.
  const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor) as Floats;
  gradient(info, view(a), view(b), view(out));
  return out;
}

function segmentShape({ inputs, attrs }: KernelCall<unknown>): number[] {
  const { x, segmentIds } = inputs;
  return [attrs.numSegments as number, ...x!.shape.slice(segmentIds!.shape.length)];
}

function wasmSegmentSum(call: KernelCall<WasmBackend>): TensorInfo {
  const { inputs, backend } = call;
  const { x, segmentIds } = inputs;
  const out = backend.makeOutput(segmentShape(call), x!.dtype);
  const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor) as Floats;
  const sums = view(out);
  sums.fill(0);
  segmentSum(view(x!), view(segmentIds!), sums);
  return out;
}

function cpuSegmentSum(
  call: KernelCall<
    CpuBackend & { makeTensorInfo(shape: number[], dtype: string, values: Floats): TensorInfo }
  >,
): TensorInfo {
  const { inputs, backend } = call;
  const { x, segmentIds } = inputs;
  const shape = segmentShape(call);
  const size = shape.reduce((a, b) => a * b, 1);
  const sums = x!.dtype === 'float32' ? new Float32Array(size) : new Int32Array(size);
  const view = (tensor: TensorInfo) => backend.data.get(tensor.dataId).values as Floats;
  segmentSum(view(x!), view(segmentIds!), sums);
  return backend.makeTensorInfo(shape, x!.dtype, sums as Floats);
}
