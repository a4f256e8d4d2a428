/**
 * What is updated after every step of an optimizer: averages that are attached to it. The seam
 * between the two, so that neither knows the other.
 */

/** Something that goes with the steps of an optimizer. */
export interface StepFollower {
  /** Throws if it could not follow; then the optimizer does not step. */
  beforeStep(): void;
  /** Called after every step that succeeded. */
  afterStep(): void;
}

/** All that follow one optimizer, in the order in which they came. */
class Followers implements StepFollower {
  readonly set: Set<StepFollower> = new Set();

  beforeStep(): void {
    for (const follower of this.set) follower.beforeStep();
  }

  afterStep(): void {
    for (const follower of this.set) follower.afterStep();
  }
}

const all = new WeakMap<object, Followers>();

/** What follows an optimizer, if anything ever did. */
export function followersOf(optimizer: object): StepFollower | undefined {
  return all.get(optimizer);
}

/** Lets it follow the optimizer, after those that already do; calling the result ends that. */
export function follow(optimizer: object, follower: StepFollower): () => void {
  const followers = all.get(optimizer) ?? new Followers();
  all.set(optimizer, followers);
  followers.set.add(follower);
  return () => followers.set.delete(follower);
}
