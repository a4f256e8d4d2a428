/** Helpers that make parameter groups from named parameters. */

export { type GroupByOptions, type GroupRule, groupBy } from './group-by.ts';
export { type LayerDecayOptions, layerDecay } from './layer-decay.ts';
export type { Match, MatchFunction } from './match.ts';
export { type NoDecayOptions, noDecay } from './no-decay.ts';
export * from './types.ts';
