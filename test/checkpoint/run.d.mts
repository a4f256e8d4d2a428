import type { AdamW, CosineAnnealingLR, EMA, ParameterArena } from '../../lib/index.ts';

interface Run {
  readonly model: ParameterArena;
  readonly parts: {
    readonly model: ParameterArena;
    readonly optimizer: AdamW;
    readonly scheduler: CosineAnnealingLR;
    readonly average: EMA;
  };
}

export function makeRun(gradstep: unknown): Run;
export function train(run: Run, step: number): void;
export function snapshot(run: Run): string;
