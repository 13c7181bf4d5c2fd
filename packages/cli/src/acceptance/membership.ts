/** Changes of membership while clients write: no acknowledged write is lost, and how long writes pause is said. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { type Client, connect, type MembershipWish } from '@quorate/client';
import {
  clientAddress,
  freePorts,
  type LayoutMember,
  type LocalServer,
  memberDirectory,
  peerUrl,
} from '@quorate/processes';
import { type Report, SETTLE_TIMEOUT_MS, Trial } from './trial.ts';
import { UniqueWrites } from './writes.ts';

export interface MembershipTrialOptions {
  readonly clients: number;
  readonly report: Report;
}

const CALL_TIMEOUT_MS = 5_000;

/** Three become nine in one step; the leader leaves; a tenth joins by itself; one loses its disk and comes back. */
export async function growAndShrink({ clients, report }: MembershipTrialOptions): Promise<void> {
  await Trial.run({ servers: 3, report }, async (trial) => {
    const coming = await newMembers(4, 7);
    await underLoad(trial, coming, clients, async (stage) => {
      const six = coming.slice(0, 6).map((member) => addTo(trial, member));
      await stage.change('three become nine in one step', six.map(additionOf), () => {
        for (const { process } of six) process.start();
      });

      const leader = await trial.leader();
      const id = await stage.idOf(leader.member);
      await stage.change('the leader leaves', [{ op: 'remove', id }]);
      await stage.gone([leader]);

      const [last] = coming.slice(6);
      assert.ok(last !== undefined);
      const tenth = addTo(trial, last);
      await stage.run('a server joins by itself', async () => {
        tenth.process.start();
        await stage.voter(tenth);
      });

      const victim = await trial.follower();
      await stage.run('a server loses its disk and comes back', async () => {
        await victim.process.kill();
        rmSync(memberDirectory(trial.cluster.directory, victim.member), { recursive: true });
        await trial.until('the leader to notice', async () => ((await stage.answers(victim)) ? null : true));
        // It was a founder or came by --join; either way this is how it comes back.
        const again = trial.cluster.add(victim.member, doorsOf(trial));
        again.process.start();
        await stage.voter(again);
      });
    });
  });
}

/** All three servers are replaced by three others in one step. */
export async function replaceAll({ clients, report }: MembershipTrialOptions): Promise<void> {
  await Trial.run({ servers: 3, report }, async (trial) => {
    const old = [...trial.cluster.servers];
    const coming = await newMembers(4, 3);
    await underLoad(trial, coming, clients, async (stage) => {
      const fresh = coming.map((member) => addTo(trial, member));
      const removals: MembershipWish[] = [];
      for (const { member } of old) removals.push({ op: 'remove', id: await stage.idOf(member) });
      await stage.change(
        'all three are replaced by three others in one step',
        [...fresh.map(additionOf), ...removals],
        () => {
          for (const { process } of fresh) process.start();
        },
      );
      await stage.gone(old);
    });
  });
}

/** Clients write from before the first change until after the last; then every server is looked at. */
async function underLoad(
  trial: Trial,
  coming: readonly LayoutMember[],
  clients: number,
  body: (stage: Stage) => Promise<void>,
): Promise<void> {
  const addresses = [...trial.cluster.layout.members, ...coming].map(clientAddress);
  const writes = new UniqueWrites();
  const stop = new AbortController();
  const open = await Promise.all(
    Array.from({ length: clients + 1 }, async () => connect(addresses, { timeout: CALL_TIMEOUT_MS })),
  );
  const [operator, ...writers] = open;
  assert.ok(operator !== undefined);
  try {
    const workers = writers.map((client, n) => writes.keepGoing(client, `membership/${n}`, stop.signal));
    await Promise.race([body(new Stage(trial, writes, operator)), Promise.all(workers)]);
    stop.abort();
    await Promise.all(workers);
    await writes.verifyEverywhere(trial, 'membership/');
  } finally {
    stop.abort();
    await Promise.all(open.map(async (client) => client.close()));
  }
}

class Stage {
  readonly #trial: Trial;
  readonly #writes: UniqueWrites;
  readonly #operator: Client;

  constructor(trial: Trial, writes: UniqueWrites, operator: Client) {
    this.#trial = trial;
    this.#writes = writes;
    this.#operator = operator;
  }

  /** Does something while clients write, and says how long writes paused. */
  async run(what: string, act: () => Promise<void>): Promise<void> {
    await this.#writes.firstAcknowledgedFromNow();
    const pause = this.#writes.measurePause();
    const began = performance.now();
    await act();
    const took = performance.now() - began;
    await this.#writes.firstAcknowledgedFromNow();
    this.#trial.report(
      `${what}: ${(took / 1000).toFixed(1)} s; the longest pause in writes was ${pause().toFixed(0)} ms`,
    );
  }

  /** One change, to its end. `begun` is called when it has begun. */
  async change(what: string, wishes: readonly MembershipWish[], begun: () => void = () => undefined): Promise<void> {
    await this.run(what, async () => {
      await this.#operator.changeMembership(wishes);
      begun();
      await this.#trial.until(`the end of the change (${what})`, async () => {
        return (await this.#operator.membership()).underWay ? null : true;
      });
    });
  }

  async idOf(member: LayoutMember): Promise<bigint> {
    const { members } = await this.#operator.membership();
    const found = members.find(({ peerURLs }) => peerURLs.includes(peerUrl(member)));
    assert.ok(found !== undefined, `${member.name} is no member.`);
    return found.ID;
  }

  async answers({ member }: LocalServer): Promise<boolean> {
    const { members } = await this.#operator.membership();
    const found = members.find(({ peerURLs }) => peerURLs.includes(peerUrl(member)));
    return found?.progressKnown !== true || found.answers;
  }

  async voter({ member, process }: LocalServer): Promise<void> {
    await this.#trial.until(`${member.name} to vote`, async () => {
      return process.logTail(1000).includes('this server votes now') ? true : null;
    });
  }

  /** Servers that were removed leave by themselves, and in order. */
  async gone(servers: readonly LocalServer[]): Promise<void> {
    for (const { member, process } of servers) {
      await this.#trial.until(
        `${member.name} to leave`,
        async () => (process.running ? null : true),
        SETTLE_TIMEOUT_MS,
      );
      assert.equal(process.lastExit?.code, 0, `${member.name} was removed and left with ${process.lastExit?.code}.`);
    }
  }
}

async function newMembers(firstNumber: number, count: number): Promise<readonly LayoutMember[]> {
  const ports = await freePorts(2 * count);
  return Array.from({ length: count }, (_, at) => ({
    name: `s${firstNumber + at}`,
    clientPort: ports[2 * at] ?? 0,
    peerPort: ports[2 * at + 1] ?? 0,
  }));
}

function addTo(trial: Trial, member: LayoutMember): LocalServer {
  return trial.cluster.add(member, doorsOf(trial));
}

function doorsOf(trial: Trial): readonly string[] {
  return trial.running.map(({ member }) => clientAddress(member));
}

function additionOf({ member }: LocalServer): MembershipWish {
  return { op: 'add', name: member.name, peerURLs: [peerUrl(member)], voter: true };
}
