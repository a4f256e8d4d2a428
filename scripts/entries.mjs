// The entries of the package: what users import, and the module of lib/ that it is. The exports
// of package.json name the files that are made of them (test/package/package.test.ts).
export const ENTRIES = {
  '.': 'index',
  './portable': 'portable',
  './safetensors': 'safetensors/index',
  './tfjs': 'tfjs/index',
  './tfjs/register': 'tfjs/register',
};
