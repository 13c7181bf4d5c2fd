/** What scenarios ask of a cluster, with the suite's own patience. */
import type { PlainData } from '../interface.ts';
import { samePlain } from '../plain-data.ts';
import type { Cluster } from './cluster.ts';
import { ScenarioFailure } from './failure.ts';

/** Milliseconds. */
const ELECTION_POLL = 450;
const ELECTION_POLL_SPREAD = 100;
const ELECTION_POLLS = 10;
const AGREEMENT_LIMIT = 10_000;
const START_LIMIT = 2_000;
const COMMIT_POLL = 20;
const NO_LEADER_PAUSE = 50;
const WAIT_POLLS = 30;
const WAIT_FIRST = 10;
const WAIT_LONGEST = 1_000;

/** The one leader among the connected servers, within about five seconds. @throws ScenarioFailure if there is none, or two in a term. */
export async function checkOneLeader(cluster: Cluster): Promise<number> {
  cluster.journal.step('expects one leader');
  for (let poll = 0; poll < ELECTION_POLLS; poll++) {
    await cluster.sleep(ELECTION_POLL + cluster.random.below(ELECTION_POLL_SPREAD));
    const leaders = new Map<number, number>();
    for (let server = 0; server < cluster.servers; server++) {
      const state = cluster.isConnected(server) ? cluster.raft(server)?.getState() : undefined;
      if (state?.isLeader !== true) continue;
      const other = leaders.get(state.term);
      if (other !== undefined) {
        throw new ScenarioFailure(
          `servers ${other} and ${server} both lead term ${state.term}; a term has at most one leader`,
        );
      }
      leaders.set(state.term, server);
    }
    const newest = leaders.get(Math.max(...leaders.keys()));
    if (newest !== undefined) return newest;
  }
  throw new ScenarioFailure('expected one leader within five seconds, got none');
}

/** The one term of all connected servers. */
export function checkTerms(cluster: Cluster): number {
  cluster.journal.step('expects that all agree on the term');
  let term = -1;
  for (let server = 0; server < cluster.servers; server++) {
    if (!cluster.isConnected(server)) continue;
    const state = cluster.raft(server)?.getState();
    if (state === undefined) continue;
    if (term !== -1 && term !== state.term) {
      throw new ScenarioFailure(`servers disagree on the term: ${term} and ${state.term} (server ${server})`);
    }
    term = state.term;
  }
  return term;
}

export function checkNoLeader(cluster: Cluster): void {
  cluster.journal.step('expects that nobody leads');
  for (let server = 0; server < cluster.servers; server++) {
    if (cluster.isConnected(server) && cluster.raft(server)?.getState().isLeader === true) {
      throw new ScenarioFailure(`expected no leader, but server ${server} claims to lead, without a majority`);
    }
  }
}

/** Nobody has applied anything at `index`. */
export function checkUncommitted(cluster: Cluster, index: number, why: string): void {
  const { servers } = cluster.services.committed(index);
  if (servers > 0) throw new ScenarioFailure(`${servers} servers committed index ${index}, but ${why}`);
}

/**
 * Waits until `servers` have applied `index`, and returns what; undefined if some server has moved on from `startTerm` (-1: whatever the
 * term), so that the entry may be lost.
 */
export async function waitCommitted(
  cluster: Cluster,
  index: number,
  servers: number,
  startTerm: number,
): Promise<PlainData | undefined> {
  let pause = WAIT_FIRST;
  for (let poll = 0; poll < WAIT_POLLS; poll++) {
    if (cluster.services.committed(index).servers >= servers) break;
    await cluster.sleep(pause);
    if (pause < WAIT_LONGEST) pause *= 2;
    if (startTerm > -1 && highestTerm(cluster) > startTerm) return undefined;
  }
  const { servers: count, command } = cluster.services.committed(index);
  if (count < servers) {
    throw new ScenarioFailure(`only ${count} servers applied index ${index}; wanted ${servers}`);
  }
  return command;
}

function highestTerm(cluster: Cluster): number {
  const terms = Array.from({ length: cluster.servers }, (_, server) => cluster.raft(server)?.getState().term ?? 0);
  return Math.max(...terms);
}

/**
 * Has `command` agreed on: asks the connected servers in turn until one says that it leads, and waits until `servers` have applied it.
 * `retry` asks again where that does not happen, because the leader may have been deposed. Returns its index. @throws ScenarioFailure
 * behind ten seconds, or without `retry` behind two.
 */
export async function one(cluster: Cluster, command: PlainData, servers: number, retry: boolean): Promise<number> {
  cluster.journal.step(`expects agreement on ${JSON.stringify(command).slice(0, 40)} by ${servers} servers`);
  const began = cluster.scheduler.now;
  let asked = 0;
  while (cluster.scheduler.now - began < AGREEMENT_LIMIT) {
    let index = -1;
    for (let tried = 0; tried < cluster.servers && index === -1; tried++) {
      asked = (asked + 1) % cluster.servers;
      const result = cluster.isConnected(asked) ? cluster.raft(asked)?.start(command) : undefined;
      if (result?.isLeader === true) index = result.index;
    }
    if (index === -1) {
      await cluster.sleep(NO_LEADER_PAUSE);
      continue;
    }
    if (await isAgreed(cluster, command, index, servers)) return index;
    if (!retry) throw new ScenarioFailure(failedAgreement(cluster, command, index, servers));
  }
  throw new ScenarioFailure(`${JSON.stringify(command)} was not agreed on by ${servers} servers within ten seconds`);
}

async function isAgreed(cluster: Cluster, command: PlainData, index: number, servers: number): Promise<boolean> {
  const began = cluster.scheduler.now;
  while (cluster.scheduler.now - began < START_LIMIT) {
    const committed = cluster.services.committed(index);
    if (committed.servers >= servers && samePlain(committed.command, command)) return true;
    await cluster.sleep(COMMIT_POLL);
  }
  return false;
}

function failedAgreement(cluster: Cluster, command: PlainData, index: number, servers: number): string {
  const committed = cluster.services.committed(index);
  return (
    `${JSON.stringify(command)} was started at index ${index} and not agreed on by ${servers} servers within two seconds: ` +
    (committed.servers === 0
      ? 'nobody applied anything there'
      : `${committed.servers} applied ${JSON.stringify(committed.command)} there`)
  );
}
