/** What opening has to know of members that begin: transport/question.ts says why. */
import type { MemberId } from '@quorate/raft';
import { RaftError } from './errors.ts';
import type { KnownLives } from './known-lives.ts';
import type { OpenedStorage, StorageIdentity } from './storage.ts';
import type { Registry } from './transport/transport.ts';

/** Only founding members register: whoever is let in later waits without a vote until it is bound. */
export function registryOf(lives: KnownLives, founders: readonly MemberId[]): Registry {
  return {
    lifeOf: (member) => lives.of(member),
    whyUnsure: () => (lives.isDamaged ? 'Its file of the lives that it was told of is damaged.' : null),
    register: (member, incarnation, done) => {
      if (!founders.includes(member)) return done('it is none of the founding members');
      if (!/^[0-9a-f]{16}$/.test(incarnation)) return done('its incarnation is malformed');
      lives.remember(member, incarnation, (answer) => done('problem' in answer ? answer.problem : null));
    },
  };
}

/** Whether this life may not have been written down by others yet: it would have entries, or its own word that it was. */
export function isUntried({ recovered, identity, lives }: OpenedStorage): boolean {
  const { lastIndex, snapshot } = recovered;
  const member = snapshot.configuration.members.find(({ id }) => id === identity.member);
  const isNew = lastIndex === 0 && snapshot.index === 0 && member?.incarnation === null;
  return isNew && lives.of(identity.member) !== identity.incarnation;
}

/** Another life of this member has begun before, on another disk. */
export function otherLife({ member }: StorageIdentity, peer: MemberId): RaftError {
  const message =
    `Member ${member} has begun before, with another data directory (server ${peer} knows it). To take part with this one it would ` +
    'have to break promises that it gave. Bring that directory back; or remove the member from the cluster, add it anew, and start ' +
    "it in an empty directory with the cluster state 'existing'.";
  return new RaftError('MemberAlreadyRan', message);
}
