// The rooms of lib/ and of native/ from top to bottom: an import goes down its list or stays in its
// room. The only place that says so: `npm run check` holds it, docs/rooms.svg draws it.

/** Name of the file or folder in lib/, and what it is for. */
export const ROOMS = [
  ['tfjs', 'TensorFlow.js'],
  ['index.ts', 'the package with its addon'],
  ['portable.ts', 'the package without'],
  ['cli', 'npx gradstep'],
  ['checkpoint', 'crash-safe runs'],
  ['safetensors', 'tensors as files'],
  ['grouping', 'by name, layer, decay'],
  ['averages', 'EMA, SWA'],
  ['gradients', 'clipping, GradScaler'],
  ['combine', 'several optimizers as one'],
  ['optimizers', 'one file an optimizer'],
  ['lr-scheduler', "torch's schedulers"],
  ['optimizer', 'the public face'],
  ['state-dict', 'save, load, PyTorch'],
  ['stepping', 'a step in its order'],
  ['groups', 'views over structs'],
  ['slots', 'registered arrays, state'],
  ['parameters', 'parameters, arenas'],
  ['backend', 'native, portable'],
  ['schedules', 'functions of the step'],
  ['options', 'checks and places'],
  ['memory', 'slabs'],
  ['support', 'errors, words, arrays'],
];

/** The room of a file: `lib/slots/state.ts` is in `slots`. */
export const roomOf = (file) => file.split('/')[1];

/** The same of native/. What is below `core` compiles without threads, libuv and Node-API. */
export const NATIVE_ROOMS = ['wasm', 'addon', 'core', 'kernels', 'rules', 'simd', 'math'];
