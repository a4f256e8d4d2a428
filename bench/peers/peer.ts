/** A competitor in this process: what every file beside this one gives. */

import type { Subject } from '../measure.ts';
import type { OptimizerName } from '../model.ts';
import type { Results } from '../results.ts';
import { valuesOf, type Workload } from '../workload.ts';

export interface Peer {
  readonly name: string;
  /** Work beyond this takes it longer than anybody wants to wait, or does not fit. */
  readonly most: { readonly values: number; readonly tensors: number };
  /** @throws {Error} saying why it cannot be measured, when it is not installed. */
  open(): Promise<OpenWork>;
}

/** Parameters of these lengths, with gradients, and their optimizer. */
export type OpenWork = (optimizer: OptimizerName, lengths: readonly number[]) => Subject;

/** A peer that is at hand. */
export interface LivePeer extends Omit<Peer, 'open'> {
  readonly openWork: OpenWork;
}

/** Those that are at hand; the others are noted in the results. */
export async function loadPeers(peers: readonly Peer[], results: Results): Promise<LivePeer[]> {
  const live: LivePeer[] = [];
  for (const peer of peers) {
    try {
      live.push({ ...peer, openWork: await peer.open() });
    } catch (error) {
      results.omit(peer.name, (error as Error).message);
    }
  }
  return live;
}

/** The subjects of those peers that can do this work. */
export function openPeers(
  peers: readonly LivePeer[],
  workload: Workload,
  optimizer: OptimizerName,
): Subject[] {
  const values = valuesOf(workload);
  const tensors = workload.lengths.length;
  return peers
    .filter(({ most }) => values <= most.values && tensors <= most.tensors)
    .map(({ openWork }) => openWork(optimizer, workload.lengths));
}
