import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StatusRequest, StatusResponse } from '@quorate/kv/api';
import { layoutOnFreePorts, LocalCluster, LOOPBACK, type ServerProgram } from '@quorate/processes';
import { RawGrpcConnection } from '@quorate/evaluation/load';

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

/** A cluster under load. */
export interface Target {
  readonly name: string;
  readonly cluster: LocalCluster;
}

export interface ServerView {
  readonly isLeader: boolean;
  readonly version: string;
  readonly revision: number;
}

export async function startTarget(
  name: string,
  program: ServerProgram,
  directory: string,
  servers: number,
): Promise<Target> {
  const home = join(directory, name);
  const cluster = new LocalCluster(program, await layoutOnFreePorts(home, servers, `bench-${name}`), home);
  cluster.startAll();
  return { name, cluster };
}

/** The leader's client port; waits for one. */
export async function leaderPort(target: Target): Promise<number> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline) {
    for (const { member, process } of target.cluster.servers) {
      if (!process.running) throw new Error(`${target.name}: ${member.name} has stopped.\n${process.logTail(5)}`);
      const view = await viewOf(member.clientPort);
      if (view?.isLeader === true) return member.clientPort;
    }
    await sleep(POLL_MS);
  }
  throw new Error(
    `${target.name} had no leader after ${READY_TIMEOUT_MS / 1000} s; its logs are in ${target.cluster.directory}.`,
  );
}

/** What a server says of itself (Maintenance.Status); null while it does not answer. */
export function viewOf(port: number): Promise<ServerView | null> {
  return new Promise((resolve) => {
    const connection = new RawGrpcConnection(LOOPBACK, port, '/etcdserverpb.Maintenance/Status', {
      keepBodies: true,
      onFailure: () => finish(null),
    });
    const timer = setTimeout(() => finish(null), POLL_MS * 10);
    const finish = (view: ServerView | null): void => {
      clearTimeout(timer);
      connection.close();
      resolve(view);
    };
    connection.call(StatusRequest.encode(StatusRequest.create()), ({ grpcStatus, body }) => {
      finish(grpcStatus === '0' && body !== null ? toView(body) : null);
    });
  });
}

function toView(body: Uint8Array): ServerView {
  const status = StatusResponse.decode(body);
  return {
    isLeader: status.leader !== 0n && status.leader === status.header?.memberId,
    version: status.version,
    revision: status.header?.revision ?? 0,
  };
}
