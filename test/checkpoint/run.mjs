// A small run that can be saved: what is the same in the test and in the processes that it kills.

/** @param {typeof import('../../lib/index.ts')} gradstep */
export function makeRun(gradstep) {
  const { AdamW, CosineAnnealingLR, EMA, ParameterArena } = gradstep;
  const model = new ParameterArena({ weight: [300, 70], bias: [70] });
  for (const [k, { data }] of model.parameters.entries()) {
    for (let i = 0; i < data.length; i++) data[i] = Math.sin(i + k);
  }
  const optimizer = new AdamW(model.namedParameters(), { lr: 0.01, weightDecay: 0.1 });
  const scheduler = new CosineAnnealingLR(optimizer, { TMax: 50 });
  const average = new EMA(model.namedParameters(), { decay: 0.9 });
  return { model, parts: { model, optimizer, scheduler, average } };
}

/** One step, whose gradients depend on its number alone. */
export function train({ model, parts }, step) {
  for (const [k, parameter] of model.parameters.entries()) {
    const grad = parameter.ensureGrad();
    for (let i = 0; i < grad.length; i++) grad[i] = Math.cos(i * (step + 1) + k);
  }
  parts.optimizer.step();
  parts.scheduler.step();
  parts.average.update();
}

/** Everything that a resumed run must have equal. */
export function snapshot({ model, parts }) {
  const bits = ({ data }) => Buffer.from(data.slice().buffer).toString('base64');
  const { optimizer, scheduler, average } = parts;
  return JSON.stringify(
    [
      model.parameters.map(bits),
      optimizer.stateDict({ copy: true }),
      scheduler.stateDict(),
      model.parameters.map((p) => bits({ data: average.averages.get(p) })),
    ],
    (_, value) => (ArrayBuffer.isView(value) ? [...value] : value),
  );
}
