import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOOPBACK } from './ports.ts';

/** One server of a cluster on this machine. */
export interface LayoutMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Where it listens and is reached; this machine's loopback address if not given. */
  readonly host?: string;
}

/** Who belongs to a local cluster and where its servers listen. Kept beside the data, because peers' addresses are part of it. */
export interface ClusterLayout {
  readonly token: string;
  readonly members: readonly LayoutMember[];
}

const LAYOUT_FILE = 'cluster.json';

/** `host:port` that clients connect to. */
export function clientAddress(member: LayoutMember): string {
  return `${member.host ?? LOOPBACK}:${member.clientPort}`;
}

export function clientUrl(member: LayoutMember): string {
  return `http://${clientAddress(member)}`;
}

export function peerUrl(member: LayoutMember): string {
  return `http://${member.host ?? LOOPBACK}:${member.peerPort}`;
}

/** `host:port` of every server, as clients take them. */
export function endpoints(layout: ClusterLayout): readonly string[] {
  return layout.members.map(clientAddress);
}

/** The flags that `quorate serve` and `etcd` have in common. */
export function serverFlags(layout: ClusterLayout, member: LayoutMember, directory: string): string[] {
  return [
    '--name',
    member.name,
    '--data-dir',
    memberDirectory(directory, member),
    '--listen-client-urls',
    clientUrl(member),
    '--advertise-client-urls',
    clientUrl(member),
    '--listen-peer-urls',
    peerUrl(member),
    '--initial-advertise-peer-urls',
    peerUrl(member),
    '--initial-cluster',
    layout.members.map((each) => `${each.name}=${peerUrl(each)}`).join(','),
    '--initial-cluster-token',
    layout.token,
    '--initial-cluster-state',
    'new',
  ];
}

export function memberDirectory(directory: string, member: LayoutMember): string {
  return join(directory, member.name);
}

export function logFile(directory: string, member: LayoutMember): string {
  return join(directory, `${member.name}.log`);
}

/** The layout that an earlier run left in `directory`, or null if there is none. */
export function readLayout(directory: string): ClusterLayout | null {
  const file = join(directory, LAYOUT_FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const layout: unknown = JSON.parse(text);
  if (!isLayout(layout)) throw new Error(`${file} does not describe a cluster. Remove the directory or name another.`);
  return layout;
}

export function writeLayout(directory: string, layout: ClusterLayout): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, LAYOUT_FILE), `${JSON.stringify(layout, null, 2)}\n`);
}

/** Removes what the servers of this layout left behind, and nothing else that may lie there. */
export function removeCluster(directory: string, layout: ClusterLayout): void {
  for (const member of layout.members) {
    rmSync(memberDirectory(directory, member), { recursive: true, force: true });
    rmSync(logFile(directory, member), { force: true });
  }
  rmSync(join(directory, LAYOUT_FILE), { force: true });
}

function isLayout(value: unknown): value is ClusterLayout {
  return (
    isRecord(value) &&
    typeof value['token'] === 'string' &&
    Array.isArray(value['members']) &&
    value['members'].length > 0 &&
    value['members'].every(
      (member: unknown) =>
        isRecord(member) &&
        typeof member['name'] === 'string' &&
        Number.isInteger(member['clientPort']) &&
        Number.isInteger(member['peerPort']),
    )
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
