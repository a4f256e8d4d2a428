/** SHA-256 as `node:crypto` offers it, for browsers, whose own is asynchronous (FIPS 180-4). */

const primes = Array.from({ length: 312 }, (_, n) => n).filter(
  (n) => n > 1 && !Array.from({ length: n }, (_, d) => d).some((d) => d > 1 && n % d === 0),
);
const fraction = (x: number) => Math.floor((x - Math.floor(x)) * 2 ** 32);
const ROUNDS = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const START = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

const rotate = (x: number, n: number) => (x >>> n) | (x << (32 - n));

function compress(hash: Int32Array, words: Int32Array): void {
  for (let i = 16; i < 64; i++) {
    const [a, b] = [words[i - 15]!, words[i - 2]!];
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    words[i] = words[i - 16]! + s0 + words[i - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = hash as unknown as Eight;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i]! + words[i]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    hash[i]! += value;
  });
}

type Eight = [number, number, number, number, number, number, number, number];

class Sha256 {
  readonly #bytes: number[] = [];

  update(part: string | ArrayBufferView): this {
    const bytes =
      typeof part === 'string'
        ? new TextEncoder().encode(part)
        : new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  digest(_: 'hex'): string {
    const bits = this.#bytes.length * 8;
    const size = Math.ceil((this.#bytes.length + 9) / 64) * 64;
    const padded = new Uint8Array(size);
    padded.set(this.#bytes);
    padded[this.#bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(size - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(size - 4, bits >>> 0);
    const hash = START.slice();
    const words = new Int32Array(64);
    for (let block = 0; block < size; block += 64) {
      for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + 4 * i);
      compress(hash, words);
    }
    return [...hash].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

export function createHash(_: 'sha256'): Sha256 {
  return new Sha256();
}
