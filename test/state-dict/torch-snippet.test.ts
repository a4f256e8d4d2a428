/**
 * The lines of Python in docs/pytorch-exchange.md, run by a Python that has PyTorch, where
 * `GRADSTEP_TORCH` names one: `GRADSTEP_TORCH=python3 npx vitest run test/state-dict`.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import {
  AdamW,
  fromTorch,
  loadModelStateDict,
  modelStateDict,
  ParameterArena,
  toTorch,
} from '../../lib/index.ts';
import { readFile, writeFile } from '../../lib/safetensors/index.ts';
import { bits } from '../support/helpers.ts';

const python = process.env.GRADSTEP_TORCH ?? '';
const page = fileURLToPath(new URL('../../docs/pytorch-exchange.md', import.meta.url));
const snippet = readFileSync(page, 'utf8').match(/```python\n([\s\S]*?)```/)![1]!;

/** Makes its own steps, saves, goes on; then goes on from the file that the other side wrote. */
const script = `${snippet}
def train(model, optimizer, steps):
    for t in steps:
        for name, tensor in model.items():
            count = tensor.numel()
            tensor.grad = torch.arange(count, dtype=torch.float32).add(t).sub(2).div(8).reshape(tensor.shape)
        optimizer.step()

def make():
    model = {"w": torch.ones(3, 2), "b": torch.zeros(4)}
    return model, torch.optim.AdamW(list(model.items()), lr=0.25, weight_decay=0.125)

model, optimizer = make()
train(model, optimizer, range(3))
save("torch.safetensors", model, optimizer)
train(model, optimizer, range(3, 6))
save("whole.safetensors", model, optimizer)
model, optimizer = make()
load("gradstep.safetensors", model, optimizer)
train(model, optimizer, range(3, 6))
save("resumed.safetensors", model, optimizer)
`;

function make() {
  const net = new ParameterArena({ w: [3, 2], b: [4] });
  net.parameters[0]!.data.fill(1);
  return { net, optimizer: new AdamW(net.namedParameters(), { lr: 0.25, weightDecay: 0.125 }) };
}

function train({ net, optimizer }: ReturnType<typeof make>, begin: number): void {
  for (let t = begin; t < begin + 3; t++) {
    for (const p of net.parameters) {
      const grad = p.ensureGrad();
      for (let i = 0; i < grad.length; i++) grad[i] = (i + t - 2) / 8;
    }
    optimizer.step();
  }
}

it.skipIf(python === '')('gives the same bits both ways', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'torch-snippet-'));
  const path = (name: string) => join(folder, name);
  try {
    const ours = make();
    train(ours, 0);
    const model = modelStateDict(ours.net);
    const file = toTorch({ model, optimizer: ours.optimizer.stateDict() });
    await writeFile(path('gradstep.safetensors'), file.tensors, { metadata: file.metadata });
    writeFileSync(path('run.py'), script);
    execFileSync(python, [path('run.py')], { cwd: folder, stdio: 'pipe' });

    const resumed = make();
    const begun = fromTorch(await readFile(path('torch.safetensors')));
    loadModelStateDict(resumed.net, begun.model);
    resumed.optimizer.loadStateDict(begun.optimizer);
    for (const run of [ours, resumed]) train(run, 3);
    for (const name of ['whole.safetensors', 'resumed.safetensors']) {
      const { model: theirs } = fromTorch(await readFile(path(name)));
      for (const { net } of [ours, resumed]) {
        const data = modelStateDict(net);
        for (const key of ['w', 'b'])
          expect(bits(data[key]!.data)).toEqual(bits(theirs[key]!.data));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
