/** Patterns over dotted names. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globToRegExp } from '../../lib/grouping/glob.ts';
import { expectError } from '../support/helpers.ts';

const names = [
  'bias',
  'features.0.weight',
  'features.0.bias',
  'features.10.weight',
  'classifier.0.weight',
  'classifier.0.bias',
  'features.norm.weight',
];
const matching = (glob: string, list = names) =>
  list.filter((name) => globToRegExp(glob).test(name));

describe('a pattern', () => {
  it.each<[string, string[]]>([
    ['bias', ['bias']],
    ['*', ['bias']],
    ['features.*.weight', ['features.0.weight', 'features.10.weight', 'features.norm.weight']],
    ['features.?.*', ['features.0.weight', 'features.0.bias']],
    ['**.bias', ['bias', 'features.0.bias', 'classifier.0.bias']],
    ['classifier.**', ['classifier.0.weight', 'classifier.0.bias']],
    [
      '**.0.**',
      ['features.0.weight', 'features.0.bias', 'classifier.0.weight', 'classifier.0.bias'],
    ],
    ['**', names],
    ['*.{0,norm}.weight', ['features.0.weight', 'classifier.0.weight', 'features.norm.weight']],
    ['{**.norm.*,bias}', ['bias', 'features.norm.weight']],
    [
      '{features.{0,10},classifier.*}.weight',
      ['features.0.weight', 'features.10.weight', 'classifier.0.weight'],
    ],
    ['features.{**,x}', names.filter((name) => name.startsWith('features.'))],
    ['f*.1*', []],
    ['f*.1*.w*t', ['features.10.weight']],
    ['eatures.**', []],
    ['Bias', []],
  ])('%s', (glob, expected) => {
    expect(matching(glob)).toEqual(expected);
  });

  it('takes every other character as it is', () => {
    const odd = [
      'a+b',
      'a.b',
      'aXb',
      'w[0]',
      'w0',
      '(x)',
      'a|b',
      'a,b',
      'a\\b',
      '^a$',
      'a/b',
      'é',
      '😀',
    ];
    for (const name of odd.filter((each) => !each.includes('.'))) {
      expect(matching(name, odd)).toEqual([name]);
    }
    expect(matching('?', odd)).toEqual(['é', '😀']);
    expect(matching('a?b', ['a.b', 'a\nb'])).toEqual(['a\nb']);
  });

  it.each([
    ['', 'it is empty'],
    ['a.{b,c', "a '{' has no '}' after it"],
    ['a.b}', "a '}' has no '{' before it"],
    ['}{', "a '}' has no '{' before it"],
    ['conv**', "'**' has to stand alone between dots"],
    ['**bias', "'**' has to stand alone between dots"],
    ['a.***.b', "'**' has to stand alone between dots"],
  ])('refuses %j', (glob, reason) => {
    expectError(
      () => globToRegExp(glob),
      'ERR_INVALID_ARGUMENT',
      `Bad pattern '${glob}': ${reason}`,
    );
  });

  it('without its special characters matches itself alone', () => {
    const plain = fc.string().filter((text) => text !== '' && !/[*?{},]/.test(text));
    fc.assert(
      fc.property(plain, plain, (glob, name) => {
        expect(globToRegExp(glob).test(glob)).toBe(true);
        expect(globToRegExp(glob).test(name)).toBe(glob === name);
      }),
    );
  });

  it('with them never becomes a bad regular expression', () => {
    const part = fc.constantFrom('*', '**', '?', '{', '}', ',', '.', 'a', '(', '[', '\\');
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        try {
          globToRegExp(parts.join('')).test('a.b.a');
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
        }
      }),
    );
  });
});
