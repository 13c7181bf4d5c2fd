import { resolve } from 'node:path';
import {
  choosePorts,
  type ClusterLayout,
  isFree,
  type LayoutMember,
  readLayout,
  removeCluster,
  writeLayout,
} from '@quorate/processes';
import { UsageError } from '../usage-error.ts';

const DEFAULT_SERVERS = 5;
const MAX_SERVERS = 9;
const FIRST_CLIENT_PORT = 2379;
const FIRST_PEER_PORT = 2380;
const PORT_STEP = 10;

export interface DevFlags {
  readonly servers?: string;
  readonly rate: string;
  readonly dataDir: string;
  readonly fresh?: boolean;
}

/** The cluster to start, and what the person should know about it: ports, data. */
export interface Prepared {
  readonly directory: string;
  readonly layout: ClusterLayout;
  readonly ratePerSecond: number;
  readonly remarks: readonly string[];
}

export async function prepare(flags: DevFlags): Promise<Prepared> {
  const directory = resolve(flags.dataDir);
  const ratePerSecond = numberBetween('--rate', flags.rate, 1, 100_000);
  const servers = flags.servers === undefined ? null : numberBetween('--servers', flags.servers, 1, MAX_SERVERS);
  const earlier = readLayout(directory);
  const remarks: string[] = [];
  if (flags.fresh === true && earlier !== null) {
    removeCluster(directory, earlier);
    remarks.push(`The data of the earlier start in ${directory} was thrown away (--fresh).`);
  }
  const kept = flags.fresh === true ? null : earlier;
  const layout =
    kept === null
      ? await newLayout(servers ?? DEFAULT_SERVERS, remarks)
      : await keptLayout(kept, servers, directory, remarks);
  writeLayout(directory, layout);
  remarks.push(
    kept === null
      ? `Data lies in ${directory}; the next start goes on with it, --fresh begins anew.`
      : `Going on with the data in ${directory}; --fresh begins anew.`,
  );
  return { directory, layout, ratePerSecond, remarks };
}

async function newLayout(servers: number, remarks: string[]): Promise<ClusterLayout> {
  const indexes = Array.from({ length: servers }, (_, at) => at);
  const chosen = await choosePorts([
    ...indexes.map((at) => FIRST_CLIENT_PORT + at * PORT_STEP),
    ...indexes.map((at) => FIRST_PEER_PORT + at * PORT_STEP),
  ]);
  const members = indexes.map((at): LayoutMember => {
    const client = chosen[at];
    const peer = chosen[servers + at];
    if (client === undefined || peer === undefined) throw new Error('Fewer ports were chosen than asked for.');
    const name = `s${at + 1}`;
    for (const { port, insteadOf } of [client, peer]) {
      if (insteadOf !== null) remarks.push(`Port ${insteadOf} is taken; ${name} uses ${port} instead.`);
    }
    return { name, clientPort: client.port, peerPort: peer.port };
  });
  return { token: 'quorate-dev', members };
}

/** Client ports may change from start to start; peer ports are how the servers of this data know each other. */
async function keptLayout(
  kept: ClusterLayout,
  servers: number | null,
  directory: string,
  remarks: string[],
): Promise<ClusterLayout> {
  if (servers !== null && servers !== kept.members.length) {
    throw new UsageError(
      `The data in ${directory} is of ${kept.members.length} servers, not ${servers}. Leave --servers out, begin anew with --fresh, or name another --data-dir.`,
    );
  }
  for (const { name, peerPort } of kept.members) {
    if (!(await isFree(peerPort))) {
      throw new UsageError(
        `Port ${peerPort}, by which the servers in ${directory} know ${name}, is taken. Is another quorate dev running there? End it, begin anew with --fresh, or name another --data-dir.`,
      );
    }
  }
  const chosen = await choosePorts(kept.members.map((member) => member.clientPort));
  const members = kept.members.map((member, at) => {
    const port = chosen[at]?.port ?? member.clientPort;
    if (port !== member.clientPort)
      remarks.push(`Port ${member.clientPort} is taken; ${member.name} uses ${port} instead.`);
    return { ...member, clientPort: port };
  });
  return { ...kept, members };
}

function numberBetween(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`${flag} is "${text}"; it takes a whole number from ${least} to ${most}.`);
}
