/**
 * Models in folders, in Node.js without tfjs-node: the files that tfjs-node and the converter write
 * and read, `model.json` and one of weights beside it.
 */

import type { FileHandle } from 'node:fs/promises';
import { isObject } from '../parameters/list-params.ts';
import { explainFile, makeFolder, writeAtomically } from '../safetensors/atomic-write.ts';
import { checkPath, nodeModule } from '../safetensors/node.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

/** What TensorFlow.js hands over to be saved, and takes when it loads. */
export interface ModelArtifacts {
  readonly modelTopology?: unknown;
  readonly weightSpecs?: readonly object[] | undefined;
  readonly weightData?: ArrayBuffer | readonly ArrayBuffer[] | undefined;
}

/** Where a model is saved to and loaded from: for `model.save` and `tf.loadLayersModel`. */
export interface ModelFolder {
  save(artifacts: ModelArtifacts): Promise<{ modelArtifactsInfo: ArtifactsInfo }>;
  load(): Promise<never>;
}

interface ArtifactsInfo {
  readonly dateSaved: Date;
  readonly modelTopologyType: 'JSON';
  readonly weightDataBytes: number;
}

const MODEL = 'model.json';
const WEIGHTS = /^weights\.[0-9a-f]{16}\.bin$/;

/**
 * A folder for one model. What is there is whole at any moment: `model.json` names the weights that
 * belong to it, and takes the place of the old one when both are on the disk.
 *
 * ```ts
 * await model.save(modelFolder('runs/digits'), { includeOptimizer: true });
 * const model = await tf.loadLayersModel(modelFolder('runs/digits'));
 * ```
 *
 * @param path The folder, which is made; to load from, it may name a JSON file in it too.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT`; `ERR_FILE` by rejecting, when files cannot be
 * written or read.
 */
export function modelFolder(path: string): ModelFolder {
  checkPath(path);
  return { save: (artifacts) => save(path, artifacts), load: () => load(path) as Promise<never> };
}

async function save(path: string, artifacts: ModelArtifacts) {
  const { createHash } = nodeModule('node:crypto');
  const { join } = nodeModule('node:path');
  const { weightSpecs = [], weightData = [], ...model } = artifacts;
  if (!isObject(model.modelTopology) || model.modelTopology instanceof ArrayBuffer) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected a model whose topology is JSON but received ${describe(model.modelTopology)}`,
    );
  }
  const blocks = [weightData].flat().map((block) => new Uint8Array(block as ArrayBuffer));
  const hash = createHash('sha256');
  for (const block of blocks) hash.update(block);
  const name = `weights.${hash.digest('hex').slice(0, 16)}.bin`;
  const manifest = [{ paths: [name], weights: weightSpecs }];
  const text = JSON.stringify({ ...model, weightsManifest: manifest });
  await makeFolder(path);
  await writeAtomically(join(path, name), (file) => writeBlocks(file, blocks));
  await writeAtomically(join(path, MODEL), (file) => file.writeFile(text));
  await removeOthers(path, name);
  const weightDataBytes = blocks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const dateSaved = new Date();
  return { modelArtifactsInfo: { dateSaved, modelTopologyType: 'JSON' as const, weightDataBytes } };
}

async function writeBlocks(file: FileHandle, blocks: readonly Uint8Array[]): Promise<void> {
  for (const block of blocks) await file.writeFile(block);
}

/** Weights of models that were here before. */
async function removeOthers(path: string, kept: string): Promise<void> {
  const { readdir, rm } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');
  for (const name of await readdir(path).catch(() => [])) {
    if (name !== kept && WEIGHTS.test(name)) await rm(join(path, name), { force: true });
  }
}

async function load(path: string): Promise<ModelArtifacts> {
  const { dirname, join } = nodeModule('node:path');
  const file = path.endsWith('.json') ? path : join(path, MODEL);
  const { weightsManifest, ...model } = parse(await read(file), file);
  const groups = (weightsManifest ?? []) as readonly { paths: string[]; weights: object[] }[];
  const paths = groups.flatMap((group) => group.paths);
  const parts = await Promise.all(paths.map((name) => read(join(dirname(file), name))));
  return {
    ...model,
    weightSpecs: groups.flatMap((group) => group.weights),
    weightData: joined(parts),
  };
}

function parse(bytes: Uint8Array, file: string): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch (cause) {
    throw new GradstepError('ERR_FILE', `${file} could not be read: it is no JSON`, { cause });
  }
}

async function read(file: string): Promise<Uint8Array> {
  const { readFile } = nodeModule('node:fs/promises');
  try {
    return await readFile(file);
  } catch (error) {
    throw explainFile(error, file, 'read');
  }
}

function joined(parts: readonly Uint8Array[]): ArrayBuffer {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole.buffer;
}

/** As much of `tf.io` as is used here. */
interface Routers {
  readonly io: {
    registerSaveRouter(router: never): void;
    registerLoadRouter(router: never): void;
  };
}

const routed = new WeakSet<object>();

/**
 * Lets `model.save('file://folder')` and `tf.loadLayersModel('file://folder/model.json')` work in
 * Node.js without tfjs-node. May be called again.
 */
export function enableFileUrls(tf: Routers): void {
  const { io } = tf;
  if (routed.has(io.registerSaveRouter)) return;
  routed.add(io.registerSaveRouter);
  const route = (url: unknown) => {
    const isFile = typeof url === 'string' && url.startsWith('file://');
    return isFile ? modelFolder(url.slice('file://'.length)) : null;
  };
  io.registerSaveRouter(route as never);
  io.registerLoadRouter(route as never);
}
