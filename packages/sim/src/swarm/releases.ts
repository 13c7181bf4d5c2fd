/**
 * Which releases the servers of a run speak, and how they are upgraded: a server's n-th run may speak more than the one before, never
 * less. What each version brought is drawn as well.
 */
import { type Release, thisRelease, type Version } from '@quorate/raft';
import type { RandomStream } from '../random.ts';

export interface ReleaseOptions {
  /** The version that the cluster must use before a feature may be. */
  readonly needs: Release['needs'];
  /**
   * The newest version that the runs of a server speak, one behind the other; those that follow speak the last, which is the same for
   * all servers. One list a server, in order, and from the first again.
   */
  readonly newest: readonly (readonly Version[])[];
}

/** Every server speaks what this build does. */
export const uniform: ReleaseOptions = { needs: thisRelease.needs, newest: [[thisRelease.max]] };

/** Runs of a server that may each speak another version. */
const LIVES = 3;
/** As many lists as there are servers, spares included. */
const LISTS = 10;

/** A quarter of the runs have servers of several releases, and mostly somebody who upgrades them: the weight of that among the deeds. */
export function drawReleases(stream: RandomStream): { readonly releases: ReleaseOptions; readonly upgrade: number } {
  if (stream.below(4) > 0) return { releases: uniform, upgrade: 0 };
  const last = stream.pick([2, 2, 3]);
  // Where one or two are behind, upgrades soon come to their end; where all are, versions stay apart for long.
  const behind = stream.pick([1, 2, LISTS, LISTS]);
  const newest = Array.from({ length: LISTS }, (_, at) => (at < behind ? drawLives(stream, last) : [last]));
  const needs = { membershipChanges: stream.pick([1, 2]), leadershipTransfer: stream.pick([1, 2]) };
  return { releases: { needs, newest }, upgrade: stream.pick([0, 2, 10, 30]) };
}

function drawLives(stream: RandomStream, last: Version): readonly Version[] {
  const lives: Version[] = [];
  let version: Version = 1;
  for (let life = stream.between(1, LIVES); life > 0 && version < last; life--) {
    lives.push(version);
    version += stream.below(2);
  }
  return [...lives, last];
}

/** The releases of the server at that place, one for each of its runs, the last for all that follow. All of them speak version 1. */
export function releasesOf({ needs, newest }: ReleaseOptions, at: number): readonly Release[] {
  const lives = newest[at % newest.length] ?? [thisRelease.max];
  return lives.map((max) => ({ min: 1, max, needs }));
}
