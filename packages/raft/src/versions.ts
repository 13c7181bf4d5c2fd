/**
 * Which version of the protocol a cluster uses. A release speaks a range of versions. What a version brought may be said and written
 * only when every member understands it, or a server that is not upgraded yet would meet what it cannot read.
 *
 * The version in use stands in the configuration. A leader raises it by an entry when every other member, learners too, has told it, in
 * this term and as the life that counts, that it speaks a later one; it never falls. So a server that is down, or has never spoken, holds
 * the version where it is; what was agreed survives every crash; and the log itself tells where what may begin.
 */
import type { Core, Leadership, RaftState } from './state.ts';
import type { Configuration, Version } from './types.ts';

/** What depends on the version in use. */
const features = ['membershipChanges', 'leadershipTransfer'] as const;
export type Feature = (typeof features)[number];

/** What a release of this code speaks. */
export interface Release {
  /** The oldest and the newest version that it understands. From 1 to `maxVersion`. */
  readonly min: Version;
  readonly max: Version;
  /** The version that the cluster must use before a feature may be. */
  readonly needs: Readonly<Record<Feature, Version>>;
}

/** What each version brought: messages, entries, formats. A new version gets a line here, and its features one in `thisRelease`. */
export const versionHistory: readonly { readonly version: Version; readonly brought: readonly string[] }[] = [
  {
    version: 1,
    brought: [
      'all messages of message.ts (Figure 2, PreVote, ReadIndex, forwarding, repair, changes of membership, TimeoutNow)',
      'entries of the kinds no-op, command and configuration, configurations in format 2',
      'the handshake with lease terms and version ranges',
      "the sessions' commands of the runtime",
    ],
  },
];

/** What this code speaks. */
export const thisRelease: Release = {
  min: 1,
  max: 1,
  needs: { membershipChanges: 1, leadershipTransfer: 1 },
};

/** The version in use as far as is committed: what may be cut again allows nothing. */
export function versionInUse({ configurations, commitIndex }: RaftState): Version {
  const committed = configurations.findLast(({ index }) => index <= commitIndex) ?? configurations[0];
  return committed?.protocol ?? 1;
}

/** Whether every member understands it. */
export function mayUse({ state, options }: Core, feature: Feature): boolean {
  return versionInUse(state) >= options.release.needs[feature];
}

/** What may not be used yet. */
export function withheld(core: Core): readonly Feature[] {
  return features.filter((feature) => !mayUse(core, feature));
}

/** What follows `configuration` when all members speak a later version than it says, or null. The members stay what they are. */
export function raised(
  { options }: Core,
  { progress }: Leadership,
  configuration: Configuration,
): Configuration | null {
  let lowest = options.release.max;
  for (const { speaks } of progress) lowest = Math.min(lowest, speaks);
  return lowest > configuration.protocol ? { ...configuration, protocol: lowest } : null;
}
