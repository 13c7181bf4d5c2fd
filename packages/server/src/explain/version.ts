/** Why the version of the protocol in use is not a later one, and what is refused for that reason (docs/upgrades.md). */
import type { Feature } from '@quorate/raft';
import type { RaftNodeStatus } from '@quorate/runtime';
import type { ExplainSources, Finding } from './finding.ts';
import { nameOf } from './words.ts';

const featureNames: Readonly<Record<Feature, string>> = {
  membershipChanges: 'changes of membership',
  leadershipTransfer: 'transfers of leadership',
};

/** Nothing where nobody is known to speak a later version, and nothing needs one. */
export function explainVersion({ status }: ExplainSources): readonly Finding[] {
  const { configuration, versionInUse, withheld, role } = status;
  const found = (code: string, why: string, advice: string | null): readonly Finding[] => [
    {
      topic: 'version',
      code,
      text: `Version ${versionInUse} of the protocol is in use: ${why}.${refusals(withheld)}`,
      advice,
    },
  ];
  if (configuration.members.length === 0) return [];
  if (configuration.protocol > versionInUse) {
    return found('versionUncommitted', `version ${configuration.protocol} is agreed, and not committed yet`, null);
  }
  const known = configuration.members.map(({ id }) => ({ id, speaks: speaksOf(status, id) }));
  const newest = Math.max(...known.map(({ speaks }) => speaks ?? 0));
  if (newest <= versionInUse && withheld.length === 0) return [];
  const older = known.filter(({ speaks }) => speaks !== null && speaks <= versionInUse).map(({ id }) => id);
  const unheard = known.filter(({ speaks }) => speaks === null).map(({ id }) => id);
  if (older.length + unheard.length === 0) {
    return found(
      'versionRises',
      'every member speaks a later one, which the leader agrees on with its next heartbeat',
      null,
    );
  }
  const reasons = [
    older.length > 0 ? `${namesOf(status, older)} ${older.length === 1 ? 'speaks' : 'speak'} no later one` : '',
  ];
  const since = role === 'leader' ? 'in this term' : 'to this server';
  if (unheard.length > 0)
    reasons.push(
      `${namesOf(status, unheard)} ${unheard.length === 1 ? 'has' : 'have'} not said ${since} what it speaks`,
    );
  return found('versionHeld', reasons.filter((reason) => reason !== '').join('; '), adviceFor(status, older, unheard));
}

/** What a leader was told with heartbeats counts; others know what was said when they connected. Null: nothing was. */
function speaksOf({ id: self, role, versions, followers, peers }: RaftNodeStatus, id: string): number | null {
  if (id === self) return versions.max;
  if (role === 'leader') return followers.find((follower) => follower.id === id)?.speaks ?? null;
  return peers.find((peer) => peer.id === id)?.versions?.max ?? null;
}

function adviceFor(status: RaftNodeStatus, older: readonly string[], unheard: readonly string[]): string {
  const upgrade = older.length === 0 ? '' : `Upgrade ${namesOf(status, older)}.`;
  const start = unheard.length === 0 ? '' : `Start ${namesOf(status, unheard)}, or remove what is gone for good.`;
  const ask = status.role === 'leader' ? '' : 'The leader knows more: quorate explain at its endpoint.';
  return [upgrade, start, ask].filter((sentence) => sentence !== '').join(' ');
}

function refusals(withheld: readonly Feature[]): string {
  if (withheld.length === 0) return '';
  const names = withheld.map((feature) => featureNames[feature]).join(' and ');
  return ` Until a later one is, ${names} are refused (versionTooOld).`;
}

function namesOf(status: RaftNodeStatus, ids: readonly string[]): string {
  return ids.map((id) => nameOf(status, id)).join(', ');
}
