/** What the group helpers take and give: parameters with names, or groups of them. */

import type { Json, ParamGroupInput } from '../groups/group-input.ts';
import type { AdadeltaOptions } from '../optimizers/adadelta.ts';
import type { AdafactorOptions } from '../optimizers/adafactor.ts';
import type { AdagradOptions } from '../optimizers/adagrad.ts';
import type { AdamOptions } from '../optimizers/adam.ts';
import type { AdamaxOptions } from '../optimizers/adamax.ts';
import type { AdanOptions } from '../optimizers/adan.ts';
import type { AdEMAMixOptions } from '../optimizers/ademamix.ts';
import type { ASGDOptions } from '../optimizers/asgd.ts';
import type { LAMBOptions } from '../optimizers/lamb.ts';
import type { LARSOptions } from '../optimizers/lars.ts';
import type { LionOptions } from '../optimizers/lion.ts';
import type { MuonOptions } from '../optimizers/muon.ts';
import type { NAdamOptions } from '../optimizers/nadam.ts';
import type { RAdamOptions } from '../optimizers/radam.ts';
import type { RMSpropOptions } from '../optimizers/rmsprop.ts';
import type { RpropOptions } from '../optimizers/rprop.ts';
import type { SGDOptions } from '../optimizers/sgd.ts';
import type { NamedParameter } from '../parameters/list-params.ts';

/**
 * Every option of every optimizer; which of them exist is for the one that gets the groups. The
 * options of an optimizer of your own join by `declare module 'gradstep'`.
 */
export interface AnyOptions
  extends AdadeltaOptions,
    Omit<AdafactorOptions, 'eps'>,
    AdagradOptions,
    AdamaxOptions,
    AdamOptions,
    ASGDOptions,
    LionOptions,
    MuonOptions,
    LAMBOptions,
    LARSOptions,
    Omit<AdanOptions, 'betas'>,
    Omit<AdEMAMixOptions, 'betas'>,
    NAdamOptions,
    RAdamOptions,
    RMSpropOptions,
    RpropOptions,
    SGDOptions {}

/** A group whose parameters have names, as every optimizer takes it. */
export type NamedGroup = AnyOptions & {
  readonly params: readonly NamedParameter[];
  readonly name?: string;
  readonly meta?: Json;
  readonly frozen?: boolean;
};

/**
 * Parameters with their names (a Map, `[name, parameter]` pairs, what `namedParameters()` gives),
 * or groups of such, to be divided further: what another helper gave.
 */
export type NamedInput = Iterable<NamedParameter> | Iterable<ParamGroupInput<AnyOptions>>;
