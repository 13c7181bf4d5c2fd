/** Who this server is, and in which cluster: by its data directory, by an invitation, or by the flags of a cluster to be founded. */
import { existsSync } from 'node:fs';
import { RaftError, readIdentity, type StorageIdentity } from '@quorate/runtime';
import { openNodeDisk } from '@quorate/runtime/node';
import { ConfigError } from './config/config-error.ts';
import type { ServerOptions } from './config/options.ts';
import { type FoundingMember, foundingMembers, idText } from './identity.ts';

/** What a running cluster told a server that it lets in. */
export interface Invitation {
  readonly clusterId: bigint;
  /** The id that the server has there. */
  readonly memberId: bigint;
  /** The others, so that they are known when they connect. */
  readonly peers: readonly FoundingMember[];
}

export interface OwnIdentity {
  readonly cluster: bigint;
  readonly own: FoundingMember;
  /** Who is known before the log is read, this server included. */
  readonly members: readonly FoundingMember[];
  readonly state: 'new' | 'existing';
}

/** Throws ConfigError or RaftError where flags, invitation and data directory do not fit together. */
export async function ownIdentity(options: ServerOptions, invitation: Invitation | null): Promise<OwnIdentity> {
  const { name, dataDir, initialAdvertisePeerUrls, initialClusterState } = options;
  if (initialClusterState === 'new' && options.join.length === 0) return founder(options);
  const found = await identityOf(dataDir);
  if (found === null && invitation === null) {
    throw new ConfigError(
      'initial-cluster-state',
      'flag',
      `${dataDir} holds no data yet, and the cluster exists already: add --join HOST:PORT with the client address of one of its members`,
    );
  }
  const memberId = found === null ? invitation?.memberId : BigInt(`0x${found.member}`);
  const cluster = found === null ? invitation?.clusterId : BigInt(`0x${found.clusterId}`);
  if (invitation !== null && cluster !== invitation.clusterId) {
    throw new RaftError(
      'WrongCluster',
      `The data directory ${dataDir} belongs to cluster ${idText(cluster ?? 0n)}, but --join leads to cluster ` +
        `${idText(invitation.clusterId)}. Give this server an empty directory to join with, or correct --join.`,
    );
  }
  const own = { id: memberId ?? 0n, name, peerURLs: initialAdvertisePeerUrls };
  const peers = (invitation?.peers ?? []).filter(({ id }) => id !== own.id);
  return { cluster: cluster ?? 0n, own, members: [own, ...peers], state: 'existing' };
}

function founder(options: ServerOptions): OwnIdentity {
  const { members, cluster } = foundingMembers(options.initialCluster, options.initialClusterToken);
  const own = members.find((member) => member.name === options.name);
  if (own === undefined) {
    throw new ConfigError('initial-cluster', 'flag', `--initial-cluster does not name this server, "${options.name}"`);
  }
  return { cluster, own, members, state: 'new' };
}

/** Whose directory that is; null where none has been begun. Changes nothing. */
export async function identityOf(dataDir: string): Promise<StorageIdentity | null> {
  // Opening creates what is missing.
  if (!existsSync(dataDir)) return null;
  const disk = openNodeDisk(dataDir);
  try {
    return await new Promise((resolve, reject) => {
      readIdentity(disk, (error, identity) => {
        if (error === null) resolve(identity);
        else reject(new RaftError('StorageFailed', error.message, { cause: error }));
      });
    });
  } finally {
    await new Promise<void>((resolve) => disk.close(resolve));
  }
}
