/** What the compiler accepts and refuses of the group helpers; checked by tsc, never run. */

import { describe, expectTypeOf, it } from 'vitest';
import {
  Adam,
  AdamW,
  EMA,
  groupBy,
  layerDecay,
  type NamedGroup,
  noDecay,
  Parameter,
  SGD,
  SWA,
} from '../../lib/index.ts';

declare module '../../lib/index.ts' {
  interface AnyOptions {
    readonly ofMyOwnOptimizer?: string;
  }
}

const net = new Map([['w', new Parameter([1])]]);

describe('group helpers', () => {
  it('give what every optimizer takes', () => {
    expectTypeOf(noDecay(net)).toEqualTypeOf<NamedGroup[]>();
    new AdamW(
      groupBy(net, [
        { match: '*', lr: 1 },
        { match: /w/, weightDecay: 0, name: 'w' },
      ]),
    );
    new SGD(noDecay(layerDecay(groupBy(net, []), 0.5, { lr: 1 })));
    new Adam(layerDecay([{ params: net, lr: 1 }], 0.5, { layerOf: (name) => name.length }));
  });

  it('refuse misspelt options', () => {
    // @ts-expect-error: misspelt
    groupBy(net, [{ match: '*', weigthDecay: 0 }]);
    // @ts-expect-error: not a number
    groupBy(net, [{ match: '*', lr: '1' }]);
    // @ts-expect-error: no match
    groupBy(net, [{ lr: 1 }]);
    // @ts-expect-error: no names
    noDecay([new Parameter([1])]);
    // @ts-expect-error: of another rule
    noDecay(net, { rule: 'fairseq' });
  });

  it('let options of others join', () => {
    groupBy(net, [{ match: '*', ofMyOwnOptimizer: 'yes' }]);
  });
});

describe('averages', () => {
  it('take parameters in every form', () => {
    new EMA(net, { decay: 0.9, form: 'mulAdd' }).attach(new Adam([]));
    new SWA(net.values(), { form: 'lerp' });
    new EMA(['w', new Parameter([1])]);
    // @ts-expect-error: of the other average
    new SWA(net, { decay: 0.9 });
    // @ts-expect-error: fixed
    new EMA(net).form = 'lerp';
    // @ts-expect-error: no optimizer
    new EMA(net).attach({});
  });
});
