/** Which variables a group has: given as variables, layers, models, or patterns of names. */

import { type Match, type Matcher, toMatcher } from '../grouping/match.ts';
import { isIterable, isObject } from '../parameters/list-params.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import {
  type LayerWeight,
  type VariableLike,
  variableOf,
  type WeightHolder,
} from './tensorflow.ts';

/** What one item of `params` may be. */
export type VariablesItem = VariableLike | LayerWeight | WeightHolder | Match;

/**
 * Which variables are meant: one item or several. A string is a pattern of names: `*` is any text
 * without a slash, `**` any number of parts between slashes, `{a,b}` either.
 */
export type VariablesInput = VariablesItem | Iterable<VariablesItem>;

/** A pattern, with the text that it is saved as. */
interface NamePattern {
  readonly text: string | undefined;
  readonly label: string;
  test(name: string): boolean;
}

/** What of a selection is written with a model. */
export interface SavedSelection {
  /** Names of variables that were in the group. */
  readonly names: readonly string[];
  readonly patterns: readonly string[];
  /** Whether every variable with a gradient is meant. */
  readonly all: boolean;
}

export function isVariable(value: unknown): value is VariableLike {
  const { assign, dataId, name } = Object(value) as Partial<VariableLike>;
  return typeof assign === 'function' && isObject(dataId) && typeof name === 'string';
}

function isHolder(value: unknown): value is WeightHolder {
  const { weights, trainableWeights } = Object(value) as Partial<WeightHolder>;
  return Array.isArray(weights) && Array.isArray(trainableWeights);
}

function isLayerWeight(value: unknown): value is LayerWeight {
  return isVariable(variableOf(Object(value) as LayerWeight));
}

function isMatch(value: unknown): value is Match {
  return (
    typeof value === 'string' ||
    typeof value === 'function' ||
    Object.prototype.toString.call(value) === '[object RegExp]'
  );
}

/** Whether this says which variables are meant, and is no object of options. */
export function isVariablesInput(value: unknown): value is VariablesInput {
  return (
    isIterable(value) ||
    isVariable(value) ||
    isHolder(value) ||
    isLayerWeight(value) ||
    isMatch(value)
  );
}

/** Parts of names end in slashes here, those of gradstep's patterns in dots. */
const dotted = (text: string) => text.replaceAll('/', '.');

function toPattern(match: Match, what: string): NamePattern {
  const { label, test } = toMatcher(typeof match === 'string' ? dotted(match) : match, what);
  const isText = typeof match === 'string';
  const ask = (name: string): Parameters<Matcher['test']>[0] => [name, undefined as never];
  return {
    text: isText ? match : undefined,
    label: isText ? `'${match}'` : label,
    test: (name) => test(ask(isText ? dotted(name) : name)),
  };
}

/** The variables of a group: those that are known, and what tells of others. */
export class Selection {
  readonly #weights: LayerWeight[] = [];
  readonly #holders: WeightHolder[] = [];
  readonly #variables = new Set<VariableLike>();
  readonly #patterns: NamePattern[] = [];
  #all = false;
  /** Those that were in the group when it was saved. */
  savedNames: readonly string[] = [];

  /** Every variable that ever has a gradient. */
  static all(): Selection {
    const selection = new Selection();
    selection.#all = true;
    return selection;
  }

  /**
   * @param where Ends error sentences.
   * @throws {GradstepError} `ERR_INVALID_PARAMETER`, `ERR_INVALID_ARGUMENT` for a bad pattern.
   */
  static of(given: VariablesInput, where = ''): Selection {
    const selection = new Selection();
    const items = isIterable(given) && !isHolder(given) ? [...given] : [given];
    for (const item of items) selection.#take(item, where);
    return selection;
  }

  /** What was saved; names are those of another model's variables, perhaps. */
  static restore({ names, patterns, all }: SavedSelection): Selection {
    const selection = new Selection();
    selection.savedNames = names;
    for (const pattern of patterns) selection.#patterns.push(toPattern(pattern, 'a saved pattern'));
    selection.#all = all;
    return selection;
  }

  #take(item: unknown, where: string): void {
    if (isVariable(item)) this.#variables.add(item);
    else if (isHolder(item)) this.#holders.push(item);
    else if (isLayerWeight(item)) this.#weights.push(item);
    else if (isMatch(item)) this.#patterns.push(toPattern(item, `params${where}`));
    else {
      throw new GradstepError(
        'ERR_INVALID_PARAMETER',
        'Expected params to be layers, models, variables or patterns of names but received ' +
          `${describe(item)}${where}`,
      );
    }
  }

  /** The weights of all layers, each once. Layers that are not built have none yet. */
  #layerWeights(which: keyof WeightHolder): LayerWeight[] {
    return [...this.#weights, ...this.#holders.flatMap((holder) => [...holder[which]])];
  }

  /** What can be named now and is to be trained, in order. */
  known(): VariableLike[] {
    const weights = this.#layerWeights('trainableWeights').map(variableOf);
    const known = [...new Set([...this.#variables, ...weights])];
    return known.filter(({ trainable, dtype }) => trainable && dtype === 'float32');
  }

  /** The weight of a layer that has this variable. */
  weightOf(variable: VariableLike): LayerWeight | undefined {
    return this.#layerWeights('weights').find((weight) => variableOf(weight) === variable);
  }

  /** Whether a variable is meant by itself or by its layer. */
  has(variable: VariableLike): boolean {
    return this.#variables.has(variable) || this.weightOf(variable) !== undefined;
  }

  /** Whether a pattern means it, or all are meant. */
  matches({ name }: VariableLike): boolean {
    return this.#all || this.#patterns.some((pattern) => pattern.test(name));
  }

  /** A pattern that none of these names fits: it is probably misspelt. */
  misspelt(names: readonly string[]): string | undefined {
    return this.#patterns.find((pattern) => !names.some((name) => pattern.test(name)))?.label;
  }

  /** @param members The names of the variables that are in the group now. */
  save(members: readonly string[]): SavedSelection {
    const mine = this.#layerWeights('weights').map(({ name }) => name);
    const names = [...members, ...mine, ...Array.from(this.#variables, ({ name }) => name)];
    const patterns = this.#patterns.flatMap(({ text }) => text ?? []);
    return { names: [...new Set([...names, ...this.savedNames])], patterns, all: this.#all };
  }
}

/** A name without the number that TensorFlow.js adds to one that is taken: `kernel_1`. */
export function baseName(name: string): string {
  return name.replace(/_\d+$/, '');
}

/**
 * All variables of a model, of layers, or of a list.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER`.
 */
export function listVariables(given: unknown): VariableLike[] {
  const items = isIterable(given) && !isHolder(given) ? [...given] : [given];
  const found = items.flatMap((item) => {
    if (isVariable(item)) return [item];
    if (isHolder(item)) return item.weights.map(variableOf);
    if (isLayerWeight(item)) return [variableOf(item)];
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected variables, layers or a model but received ${describe(item)}`,
    );
  });
  return [...new Set(found)];
}
