/** Optimizers by name. */

import { expect, it } from 'vitest';
import * as gradstep from '../../lib/index.ts';
import {
  Adam,
  AdamW,
  createOptimizer,
  listOptimizers,
  Optimizer,
  Parameter,
  registerOptimizer,
} from '../../lib/index.ts';
import { MyLion } from '../optimizer/my-lion.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

it('lists every class of the package, sorted', () => {
  const classes = Object.entries(gradstep as Record<string, unknown>)
    .filter(([, value]) => typeof value === 'function' && value.prototype instanceof Optimizer)
    .map(([name]) => name.toLowerCase());
  expect(classes.length).toBeGreaterThan(9);
  expect(listOptimizers()).toEqual(classes.sort());
  listOptimizers().length = 0;
  expect(listOptimizers()).toContain('adamw');
});

const names = listOptimizers();

onEachBackend((backend) => {
  it('makes each of them, with its options', () => {
    for (const name of names) {
      const w = new Parameter([[1, 2, 3]]); // Muon wants a matrix
      w.ensureGrad().set([0.1, 0.2, 0.3]);
      const o = createOptimizer(name, [{ params: w }], { lr: 0.125 });
      expect(o.constructor.name.toLowerCase()).toBe(name);
      expect(o.paramGroups[0]!.lr).toBe(0.125);
      const before = bits(w.data);
      o.step();
      expect(bits(w.data)).not.toEqual(before);
    }
  });

  it('makes what a configuration file says', () => {
    const text = '{ "name": "AdamW", "lr": 0.5, "betas": [0.5, 0.25] }';
    const { name, ...options } = JSON.parse(text) as { name: string };
    const o = createOptimizer(name, [parameter()], options);
    expect(o).toBeInstanceOf(AdamW);
    expect(o.defaults).toMatchObject({ lr: 0.5, betas: [0.5, 0.25] });
    expect(createOptimizer('adam', [parameter()])).toBeInstanceOf(Adam);
  });

  it('knows classes that users register', () => {
    const name = `mylion-${backend}`;
    registerOptimizer(name, MyLion);
    registerOptimizer(name.toUpperCase(), MyLion);
    expect(listOptimizers()).toContain(name);
    expect(createOptimizer(name, [parameter()], { lr: 7 })).toBeInstanceOf(MyLion);
    expectError(() => createOptimizer(name, [], { lr: -7 }), 'ERR_INVALID_OPTION', 'lr');
  });
});

it('refuses names that are not known, with the nearest that is', () => {
  const wrong: [unknown, string][] = [
    ['admw', "received 'admw'; did you mean adamw? Known are adadelta, adafactor"],
    ['rms_prop', 'did you mean rmsprop?'],
    ['gradient-free', "received 'gradient-free'. Known are"],
    ['', "received ''. Known are"],
    ['constructor', "received 'constructor'"],
    [undefined, 'received undefined. Known are'],
    [Adam, 'received function Adam. Known are'],
  ];
  for (const [name, text] of wrong) {
    expectError(() => createOptimizer(name as string, []), 'ERR_INVALID_ARGUMENT', text);
  }
});

it('refuses options and parameters as the class does', () => {
  const options = { momentum: 1 } as object;
  expectError(() => createOptimizer('adam', [], options), 'ERR_UNKNOWN_OPTION', 'momentum');
  expectError(() => createOptimizer('sgd', 5 as never), 'ERR_INVALID_PARAMETER', 'got 5');
  expectError(() => createOptimizer('sgd', [], null as never), 'ERR_INVALID_OPTION', 'null');
});

it('registers nothing but classes of optimizers, under names that are free', () => {
  const before = listOptimizers();
  const wrong: [unknown, unknown, string][] = [
    ['', MyLion, "a string but received ''"],
    [5, MyLion, 'a string but received 5'],
    ['adam', MyLion, "'adam' is function Adam already"],
    ['Adam', MyLion, "'Adam' is function Adam already"],
    ['mine', undefined, 'a class that extends Optimizer but received undefined'],
    ['mine', () => 1, 'a class that extends Optimizer'],
    ['mine', Map, 'received function Map'],
    ['mine', new MyLion([]), 'received an instance of MyLion'],
  ];
  for (const [name, Class, text] of wrong) {
    expectError(
      () => registerOptimizer(name as never, Class as never),
      'ERR_INVALID_ARGUMENT',
      text,
    );
  }
  registerOptimizer('adam', Adam);
  expect(listOptimizers()).toEqual(before);
});
