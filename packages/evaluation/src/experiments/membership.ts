/** Writes over time while a cluster grows from three servers to nine, and while all of its servers are replaced. */
import type { Client, MembershipResult, MembershipWish } from '@quorate/client';
import { clientAddress, type LayoutMember, peerUrl } from '@quorate/processes';
import type { Cell, CellResult, Experiment, Scale } from '../experiment.ts';
import { type Cluster, SETTLE_TIMEOUT_MS } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import type { Server } from '../places/place.ts';
import type { Figure } from '../plots/figure.ts';
import { planFor, preload, ready } from './load-cells.ts';
import { Timeline, timelineFigure } from './timeline.ts';

const CHANGES = {
  'grow-at-once': 'Three servers become nine in one change',
  'grow-one-by-one': 'Three servers become nine, one by one',
  replace: 'All three servers are replaced by three others in one change',
} as const;
type Change = keyof typeof CHANGES;

const CLIENTS = 16;
const INTERVAL_MS = 100;
const VALUE_BYTES = 1024;
/** What newcomers have to be given before they may vote. */
const KEYS = { full: 100_000, quick: 5_000 } as const;
const CALM_SECONDS = { full: 10, quick: 1.5 } as const;
const COMING: Readonly<Record<Change, number>> = { 'grow-at-once': 6, 'grow-one-by-one': 6, replace: 3 };

export const membership: Experiment = {
  name: 'membership',
  title: 'Membership: writes while servers come and go',
  question: 'What do clients notice when the servers of a cluster change?',
  method:
    'Three servers that hold keys with values of 1 KiB; 16 clients write in a closed loop and know all servers that will ever be there. Newcomers are learners until they ' +
    'have caught up, then one joint change makes them voters (dissertation §4.2.1, §4.3). Nine servers on one machine get a third of the processor time that three got, ' +
    'so the level after the growth says little about machines of their own; the pauses do.',
  measures: [
    { column: 'pauseMs', label: 'pause of writes after an event', unit: 'ms', where: { kind: 'event' } },
    { column: 'seconds', label: 'length of the change', unit: 's', where: { kind: 'change' } },
  ],
  cells: (scale) => (Object.keys(CHANGES) as Change[]).map((change) => cellOf(change, scale)),
  figures: (results) =>
    results
      .filter(({ rows }) => rows.some((row) => row['kind'] === 'interval'))
      .map((result) => figureOf(result, result.key as Change)),
};

function cellOf(change: Change, scale: Scale): Cell {
  const most = 3 + COMING[change];
  return {
    key: change,
    settings: { change, keys: KEYS[scale] },
    servers: most,
    seconds: 6 + KEYS[scale] / 3_000 + 2 * CALM_SECONDS[scale] + COMING[change],
    run: (harness) => run(harness, change, scale),
  };
}

async function run(harness: Harness, change: Change, scale: Scale): Promise<void> {
  const cluster = await harness.start({ servers: 3 });
  await ready(harness, cluster);
  await preload(cluster, VALUE_BYTES, KEYS[scale]);
  const founders = [...cluster.servers];
  const coming = await harness.newMembers(4, COMING[change]);
  const addresses = [...founders.map(({ member }) => member), ...coming].map(clientAddress);
  const plan = planFor(harness, cluster, {
    pace: { kind: 'closed', clients: CLIENTS },
    seconds: 0,
    endpoints: addresses,
    intervalMs: INTERVAL_MS,
    keys: KEYS[scale],
    valueBytes: VALUE_BYTES,
  });
  await Timeline.run(harness, { ...plan, warmUpSeconds: 0.5 }, async (timeline) => {
    await timeline.wait(CALM_SECONDS[scale]);
    const began = performance.now();
    await new Changes(cluster, timeline).make(change, coming, founders);
    harness.record({ kind: 'change', seconds: (performance.now() - began) / 1000 });
    await timeline.wait(CALM_SECONDS[scale]);
  });
}

class Changes {
  readonly #cluster: Cluster;
  readonly #timeline: Timeline;

  constructor(cluster: Cluster, timeline: Timeline) {
    this.#cluster = cluster;
    this.#timeline = timeline;
  }

  async make(change: Change, coming: readonly LayoutMember[], founders: readonly Server[]): Promise<void> {
    const servers = coming.map((member) => this.#cluster.add(member));
    const operator = await this.#cluster.client([...founders], SETTLE_TIMEOUT_MS);
    this.#timeline.mark('change begins');
    if (change === 'grow-one-by-one') {
      for (const [at, server] of servers.entries()) await this.#one(operator, [server], [], `${4 + at} servers`);
      return;
    }
    const leaving = change === 'replace' ? await this.#removals(operator, founders) : [];
    await this.#one(operator, servers, leaving, change === 'replace' ? 'replaced' : '9 servers');
  }

  /** One change, to its end. */
  async #one(
    operator: Client,
    servers: readonly Server[],
    removals: readonly MembershipWish[],
    outcome: string,
  ): Promise<void> {
    const wishes = servers.map(
      ({ member }): MembershipWish => ({ op: 'add', name: member.name, peerURLs: [peerUrl(member)], voter: true }),
    );
    await operator.changeMembership([...wishes, ...removals]);
    for (const { process } of servers) process.start();
    // The founders may leave on the way: whoever has come is asked then.
    const asked = await this.#cluster.client([...servers], SETTLE_TIMEOUT_MS);
    await this.#cluster.until(
      'the end of the change',
      async () => (isOver(await asked.membership(), servers, removals) ? true : null),
      5 * SETTLE_TIMEOUT_MS,
    );
    this.#timeline.mark(outcome);
  }

  async #removals(operator: Client, founders: readonly Server[]): Promise<readonly MembershipWish[]> {
    const { members } = await operator.membership();
    return founders.map(({ member }): MembershipWish => {
      const found = members.find(({ peerURLs }) => peerURLs.includes(peerUrl(member)));
      if (found === undefined) throw new Error(`${member.name} is no member.`);
      return { op: 'remove', id: found.ID };
    });
  }
}

/** Whoever is asked may have come and not know of the change yet: then nothing is under way as far as it knows. */
function isOver(
  { underWay, members }: MembershipResult,
  added: readonly Server[],
  removals: readonly MembershipWish[],
): boolean {
  const votes = ({ member }: Server): boolean =>
    members.some(({ peerURLs, voter }) => voter && peerURLs.includes(peerUrl(member)));
  const isGone = (wish: MembershipWish): boolean => wish.op !== 'remove' || members.every(({ ID }) => ID !== wish.id);
  return !underWay && added.every(votes) && removals.every(isGone);
}

function figureOf({ key, rows, settings }: CellResult, change: Change): Figure {
  return timelineFigure(rows, {
    id: key,
    title: `${CHANGES[change]}: writes over time`,
    caption:
      'Writes answered in each 100 ms, as a rate, and the 99th percentile of their latency (logarithmic); dashed: the beginning and the end of a change. ' +
      `${String(settings['keys'])} keys of 1 KiB are handed to each newcomer before it votes.`,
    missing: [],
  });
}
