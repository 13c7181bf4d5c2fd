/** What random runs wish for the membership, and which server may lose its disk while it changes. */
import type { MemberChange, MemberId } from '../../../src/index.ts';
import type { Cluster } from '../cluster.ts';
import { memberNames } from '../configurations.ts';
import type { TestServer } from '../server.ts';

/** Servers that may be let in. */
export const strangers: readonly MemberId[] = memberNames(3, 30);

export function drawWish(cluster: Cluster, choice: number): MemberChange {
  const ids = [...cluster.servers.keys()];
  const id = ids[(choice >>> 3) % ids.length] ?? '';
  switch (choice % 8) {
    case 0:
    case 1:
      return { op: 'remove', id };
    case 2:
      return { op: 'demote', id };
    case 3:
      return { op: 'promote', id };
    case 4:
      return { op: 'update', id, context: `${choice}` };
    default:
      return wasRemoved(cluster, id)
        ? { op: 'update', id, context: '' }
        : { op: 'add', id, context: '', voter: choice % 8 !== 5 };
  }
}

/** Whoever has left the cluster may not come back with the directory that it had. */
function wasRemoved(cluster: Cluster, id: MemberId): boolean {
  return cluster.running.some(({ core }) => core.configuration.former.some((life) => life.id === id));
}

export function readmission(cluster: Cluster, id: MemberId): MemberChange {
  return { op: 'readmit', id, incarnation: cluster.server(id).incarnation };
}

/** Members whose present life is bound by a configuration that is committed. */
export function readmitted(cluster: Cluster): readonly MemberId[] {
  return cluster.running
    .filter(({ core }) => core.configuration.index <= core.commitIndex)
    .flatMap(({ core }) => core.configuration.members)
    .filter(({ id, incarnation }) => incarnation === cluster.server(id).incarnation)
    .map(({ id }) => id);
}

/** Whether all agree on a configuration, in force for good, that can decide without that server. */
export function canDoWithout(cluster: Cluster, { id }: TestServer): boolean {
  const { leader } = cluster;
  if (leader === null) return false;
  const { voters, outgoing, target, members, index, former } = leader.core.configuration;
  const isSettled = outgoing.length === 0 && target === null && index <= leader.core.commitIndex;
  const isKnown = members.every((member) => cluster.server(member.id).disk.durable.configuration.index === index);
  const isBound = members.every((member) => member.incarnation !== null);
  const isNew = former.every((life) => life.id !== id);
  return isSettled && isKnown && isBound && isNew && (!voters.includes(id) || voters.length >= 3);
}
