/** A server that does not speak the version in use of its cluster cannot take part: it would meet what it does not understand. */
import type { Configuration, Release } from '@quorate/raft';
import { RaftError } from './errors.ts';

/** Why a server of this release must not run under that configuration, or null. */
export function unspokenVersion(
  { protocol }: Configuration,
  { min, max }: Pick<Release, 'min' | 'max'>,
): RaftError | null {
  if (protocol >= min && protocol <= max) return null;
  const remedy =
    protocol > max
      ? 'Start it with a release that does, at least as new as the one that ran last'
      : 'Upgrade it one release at a time: first to one that speaks this version too, on all servers';
  return new RaftError(
    'VersionNotSpoken',
    `The cluster uses version ${protocol} of the protocol; this server speaks ${min} to ${max}. ${remedy}. Its data is unharmed.`,
  );
}
