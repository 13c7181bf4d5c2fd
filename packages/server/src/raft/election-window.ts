/** The shortest wait, as a part of `--election-timeout`. */
const shortest = 1.7;
/** The longest: as etcd has it. */
const longest = 2;

/**
 * How long a follower waits for its leader before it stands for election, in milliseconds. etcd draws from once to twice its
 * `--election-timeout`; here only the upper part of that is drawn from, so that a leader which stands still for one and a half
 * times the timeout (a long collection, a paused machine) is not deposed, while the latest election comes no later than etcd's.
 */
export function electionWindow(electionTimeout: number): { readonly min: number; readonly max: number } {
  return { min: Math.round(shortest * electionTimeout), max: longest * electionTimeout };
}
