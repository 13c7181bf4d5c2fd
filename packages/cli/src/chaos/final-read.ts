/** At the end: every server heals, agrees, and shows all that it holds. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '@quorate/client';
import { type KeyValue, Violation } from '@quorate/sim';
import { clientAddress, type LocalServer, raftPage } from '@quorate/processes';
import { keyValue } from './calls.ts';
import type { Groups } from './groups.ts';
import type { Journal } from './journal.ts';

/** How long the servers may take to agree once nothing disturbs them. Generous: nothing is measured by it. */
const AGREE_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
const READ_TIMEOUT_MS = 20_000;
const PAGE_KEYS = 2_000;
const FINAL_CLIENT = 0;

/** Waits until all servers follow one leader and have applied all that it has committed. @throws Violation H1 */
export async function untilAgreed(servers: readonly LocalServer[]): Promise<void> {
  const deadline = performance.now() + AGREE_TIMEOUT_MS;
  for (;;) {
    const pages = await Promise.all(servers.map(({ member }) => raftPage(clientAddress(member))));
    const [first] = pages;
    const agreed = pages.every(
      (page) =>
        page !== null &&
        page.leader !== null &&
        page.leader === first?.leader &&
        page.term === first.term &&
        page.commitIndex === first.commitIndex &&
        page.appliedIndex === page.commitIndex,
    );
    if (agreed) return;
    if (performance.now() > deadline) {
      const first1 = `nothing has disturbed the servers for ${AGREE_TIMEOUT_MS / 1000} s`;
      const shown = pages.map((page, at) => `${servers[at]?.member.name} ${JSON.stringify(summary(page))}`).join(', ');
      throw new Violation('H1', first1, `they have not agreed: ${shown}`);
    }
    await sleep(POLL_MS);
  }
}

function summary(page: Awaited<ReturnType<typeof raftPage>>): unknown {
  if (page === null) return 'does not answer';
  const { role, term, leader, commitIndex, appliedIndex } = page;
  return { role, term, leader, commitIndex, appliedIndex };
}

/**
 * Reads everything on every server from that server alone. All must show the same; what they show goes into the history of each
 * group as its last read, so that whatever was lost has no place in any order. What differs is C8.
 */
export async function readEverywhere(
  servers: readonly LocalServer[],
  groups: Groups,
  journal: Journal,
  found: (violation: Violation) => void,
): Promise<FinalRead> {
  const called = journal.now();
  const stores = await Promise.all(
    servers.map(async ({ member }) => ({ name: member.name, ...(await storeOf(clientAddress(member))) })),
  );
  const returned = journal.now();
  const [first, ...others] = stores;
  if (first === undefined) throw new RangeError('There is no server to read from.');
  for (const other of others) {
    const violation = difference(first, other);
    if (violation !== null) found(violation);
  }
  const { revision } = first;
  for (const group of groups.all) {
    const kvs = first.kvs.filter(({ key }) => key >= group.range.key && key < group.range.rangeEnd);
    const response = { kind: 'range', revision, count: kvs.length, more: false, kvs } as const;
    const request = { kind: 'range', ...group.range, revision: 0, limit: 0, serializable: false } as const;
    group.add({ client: FINAL_CLIENT, request, called, returned, outcome: { kind: 'ok', response } });
  }
  return {
    keys: first.kvs.length,
    revision,
    hashes: stores.map((store) => ({ name: store.name, hash: hashOf(store) })),
  };
}

export interface FinalRead {
  readonly keys: number;
  readonly revision: number;
  readonly hashes: readonly StoreHash[];
}

export interface StoreHash {
  readonly name: string;
  readonly hash: string;
}

/** Of all that a client can read: the revision, and of each key its value, its revisions and its version. */
function hashOf({ revision, kvs }: Store): string {
  const hash = createHash('sha256').update(`${revision}\n`);
  for (const { key, value, createRevision, modRevision, version } of kvs)
    hash.update(`${JSON.stringify([key, value, createRevision, modRevision, version])}\n`);
  return hash.digest('hex');
}

interface Store {
  readonly name: string;
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
}

async function storeOf(address: string): Promise<{ readonly revision: number; readonly kvs: readonly KeyValue[] }> {
  const client: Client = await connect([address], { timeout: READ_TIMEOUT_MS });
  try {
    const kvs: KeyValue[] = [];
    let revision = 0;
    for (let from = '\0'; ; ) {
      const page = await client.get(from, { fromKey: true, limit: PAGE_KEYS, revision, serializable: true });
      revision = revision === 0 ? page.revision : revision;
      kvs.push(...page.entries.map(keyValue));
      const last = kvs.at(-1);
      if (!page.more || last === undefined) return { revision, kvs };
      from = `${last.key}\0`;
    }
  } finally {
    await client.close();
  }
}

function difference(a: Store, b: Store): Violation | null {
  if (a.revision !== b.revision) {
    return new Violation(
      'C8',
      `${a.name} has everything applied and is at revision ${a.revision}`,
      `${b.name} at ${b.revision}`,
    );
  }
  for (let at = 0; at < Math.max(a.kvs.length, b.kvs.length); at++) {
    const [one, other] = [JSON.stringify(a.kvs[at]), JSON.stringify(b.kvs[at])];
    if (one !== other) {
      return new Violation(
        'C8',
        `${a.name} holds ${one ?? 'no more'} at revision ${a.revision}`,
        `${b.name} holds ${other ?? 'no more'}`,
      );
    }
  }
  return null;
}
