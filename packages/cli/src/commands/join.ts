/** `quorate serve --join`: asks a running cluster to let this server in, and says how far that is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ClientError, connect, type MembershipResult } from '@quorate/client';
import { type Invitation, identityOf, type RunningServer, type ServerOptions } from '@quorate/server';

/** A call's patience, and the pause between two looks at the membership. Milliseconds. */
const callTimeoutMs = 10_000;
const lookAgainMs = 250;
/** A line about catching up at most this often. Milliseconds. */
const sayAgainMs = 2_000;
/** How often the leader is looked for. */
const leaderLooks = 20;

/** The cluster does not let this server in. */
class JoinError extends Error {
  override readonly name = 'JoinError';
  readonly code = 'NotLetIn';
}

/** Asks to be let in, unless this server has been already. Null: it has been, and nobody can be asked at present. */
export async function askToJoin(options: ServerOptions, signal: AbortSignal): Promise<Invitation | null> {
  const identity = await identityOf(options.dataDir);
  let client: Client;
  try {
    client = await connect(options.join, { timeout: identity === null ? callTimeoutMs : callTimeoutMs / 10, signal });
  } catch (error) {
    // All servers may be starting again together, and none needs another for it.
    if (identity !== null && error instanceof ClientError && !signal.aborted) return null;
    throw error;
  }
  try {
    const membership = await client.membership({ signal });
    const memberId =
      identity === null ? await place(client, membership, options, signal) : BigInt(`0x${identity.member}`);
    const peers = membership.members.map(({ ID, name, peerURLs }) => ({ id: ID, name, peerURLs }));
    return { clusterId: membership.clusterId, memberId, peers };
  } finally {
    await client.close();
  }
}

/** The id under which the cluster knows this server, which has no data yet. */
async function place(
  client: Client,
  membership: MembershipResult,
  options: ServerOptions,
  signal: AbortSignal,
): Promise<bigint> {
  const { name, initialAdvertisePeerUrls: peerURLs } = options;
  const known = membership.members.find((member) => member.peerURLs.some((url) => peerURLs.includes(url)));
  if (known === undefined) {
    const { addedIds } = await client.changeMembership([{ op: 'add', peerURLs, name, voter: true }]);
    const [id] = addedIds;
    if (id === undefined) throw new JoinError('The cluster has let this server in without an id. Look at its members.');
    return id;
  }
  // Added by hand, and waited for.
  if (known.incarnation === '') return known.ID;
  const seen = await asTheLeaderSees(membership, known.ID, signal);
  if (!seen.answers) return known.ID;
  throw new JoinError(
    `Member ${known.ID.toString(16)} (${known.name}) at ${known.peerURLs.join(', ')} answers the others: it runs on another data ` +
      'directory. Stop it, or give this server a peer address of its own (--listen-peer-urls).',
  );
}

/** Only the leader knows who answers; the address that was given may be another's. */
async function asTheLeaderSees(
  { members }: MembershipResult,
  id: bigint,
  signal: AbortSignal,
): Promise<{ readonly answers: boolean }> {
  const endpoints = [
    ...new Set(members.flatMap(({ clientURLs }) => clientURLs.map((url) => url.replace('http://', '')))),
  ];
  const client = await connect(endpoints, { timeout: callTimeoutMs, signal });
  try {
    for (let looks = 0; looks < leaderLooks; looks++) {
      const view = await client.membership({ signal });
      const member = view.members.find((each) => each.ID === id);
      if (member?.progressKnown === true) return member;
      await sleep(lookAgainMs, undefined, { signal });
    }
  } finally {
    await client.close();
  }
  throw new JoinError(
    `The leader does not say whether member ${id.toString(16)}, which has this server's peer address, answers it. Try again.`,
  );
}

/** Sees to it that the cluster counts on this server's data directory, and tells what happens until it votes or is told to stop. */
export async function accompany(server: RunningServer, options: ServerOptions): Promise<void> {
  const { logger } = server;
  const over = new AbortController();
  const { signal } = over;
  void server.stopped.then(() => over.abort());
  const id = server.memberId;
  let said = '';
  let saidAt = 0;
  const say = (what: string, now = Date.now()): void => {
    if (what === said) return;
    said = what;
    saidAt = now;
    logger.log('info', what, { member: id.toString(16) });
  };
  while (!signal.aborted) {
    const problem = await withClient(options, signal, async (client) => {
      while (!signal.aborted) {
        const membership = await client.membership({ signal });
        const own = membership.members.find((member) => member.ID === id);
        if (own === undefined) return say('This server is no member of the cluster any more');
        const { incarnation } = server.node.status();
        if (own.incarnation !== '' && own.incarnation !== incarnation) {
          say('This server was a member with another data directory, which is lost: it asks to be readmitted');
          await client.changeMembership([{ op: 'readmit', id, incarnation }], { signal });
        } else if (own.voter && own.incarnation === incarnation) {
          return say('Caught up: this server votes now');
        } else if (own.becomes !== 'voter' && own.incarnation === incarnation) {
          return say('Let in as a learner. It stays one until `quorate member promote`');
        } else if (said === '' || Date.now() - saidAt >= sayAgainMs) {
          const { appliedIndex } = server.node;
          const { lastIndex } = membership;
          const percent = lastIndex === 0 ? 100 : Math.floor((100 * Math.min(appliedIndex, lastIndex)) / lastIndex);
          say(`Let in as a learner that is to vote; catching up: entry ${appliedIndex} of ${lastIndex} (${percent} %)`);
        }
        await sleep(lookAgainMs, undefined, { signal });
      }
    });
    if (problem === null) return;
    if (!signal.aborted) say(`How far joining is cannot be told at present, it is tried again: ${problem}`);
    await sleep(lookAgainMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Null when `work` came to its end, otherwise why it did not. */
async function withClient(
  options: ServerOptions,
  signal: AbortSignal,
  work: (client: Client) => Promise<void>,
): Promise<string | null> {
  let client: Client | null = null;
  try {
    client = await connect(options.join, { timeout: callTimeoutMs, signal });
    await work(client);
    return null;
  } catch (error) {
    if (signal.aborted) return null;
    if (error instanceof ClientError) return error.message;
    throw error;
  } finally {
    await client?.close();
  }
}
