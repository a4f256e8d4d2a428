/** The portable backend: the native core again, in TypeScript, with the same bits. */

import type { Backend, Core } from '../backend.ts';
import type { Arithmetic } from './arithmetic.ts';
import { PortableCore } from './core.ts';
import { gradientFunctions } from './norm.ts';
import { reduceArray, treatArray } from './reduce.ts';
import { adadelta } from './rules/adadelta.ts';
import { adafactor } from './rules/adafactor.ts';
import { adagrad } from './rules/adagrad.ts';
import { adam, adamw } from './rules/adam.ts';
import { adamax } from './rules/adamax.ts';
import { adan } from './rules/adan.ts';
import { ademamix } from './rules/ademamix.ts';
import { asgd } from './rules/asgd.ts';
import { ema, swa } from './rules/average.ts';
import { lamb } from './rules/lamb.ts';
import { lars } from './rules/lars.ts';
import { lion } from './rules/lion.ts';
import { muon } from './rules/muon.ts';
import { nadam } from './rules/nadam.ts';
import { radam } from './rules/radam.ts';
import { rmsprop } from './rules/rmsprop.ts';
import { rprop } from './rules/rprop.ts';
import type { Rule } from './rules/rule.ts';
import { sgd } from './rules/sgd.ts';
import { tfjsAdadelta } from './rules/tfjs-adadelta.ts';
import { tfjsAdagrad } from './rules/tfjs-adagrad.ts';
import { tfjsAdam } from './rules/tfjs-adam.ts';
import { tfjsAdamax } from './rules/tfjs-adamax.ts';
import { tfjsRmsprop } from './rules/tfjs-rmsprop.ts';
import { tfjsMomentum, tfjsSgd } from './rules/tfjs-sgd.ts';
import { PortableSequence } from './sequence.ts';
import { portableRule } from './treated.ts';

/** All update rules. A new one is one line here, beside its file. */
const rules: readonly Rule<unknown>[] = [
  sgd,
  adam,
  adamw,
  rmsprop,
  adagrad,
  adadelta,
  adamax,
  radam,
  rprop,
  lion,
  nadam,
  asgd,
  ema,
  swa,
  tfjsSgd,
  tfjsMomentum,
  tfjsAdam,
  tfjsAdamax,
  tfjsRmsprop,
  tfjsAdagrad,
  tfjsAdadelta,
  adafactor,
  muon,
  ademamix,
  adan,
  lars,
  lamb,
];

const arithmetic: Arithmetic = { reduce: reduceArray, treat: treatArray };

/** The rule of this name, whose layouts must be these. */
export function findRule(
  name: string,
  fields: readonly string[],
  record: readonly string[],
): Rule<unknown> {
  const rule = rules.find((candidate) => candidate.name === name);
  if (rule?.fields.join() !== fields.join() || rule.record.join() !== record.join()) {
    throw new Error(`No such rule: ${name}(${fields}; ${record})`);
  }
  return rule;
}

export const portable: Backend = {
  ...gradientFunctions(arithmetic),
  name: 'portable',
  isas: () => ['portable'],
  isa: () => 'portable',
  setIsa: (name) => name === 'portable',
  threads: () => 1,
  setThreads: () => {},
  longArray: Number.POSITIVE_INFINITY,
  residue: () => 0,
  adviseHugePages: () => {},
  giveBack: () => {},
  home: () => portable,
  sequence: (cores, follows) => new PortableSequence(cores as readonly PortableCore[], follows),
  open: (...layout) => openRule(findRule(...layout)),
};

/** A core for a rule that is not among those above: a user's own. */
export function openRule(rule: Rule<unknown>): Core {
  return new PortableCore(portableRule(rule), arithmetic);
}
