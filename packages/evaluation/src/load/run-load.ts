/** Carries out a load plan in this process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ClientError, connect } from '@quorate/client';
import { type RandomStream, randomStream } from '@quorate/sim';
import { type LoadPlan, type LoadResult, MAX_OUTSTANDING } from './plan.ts';
import { Tally } from './tally.ts';

/** Connections to each server: one HTTP/2 connection is one stream of bytes, and waits for its slowest. */
const CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 30_000;
/** Rest after a failure, so that servers which are away are not asked a million times. */
const REST_MS = 10;
const TICK_MS = 1;

export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const groups = plan.spread === 'each' ? plan.endpoints.map((endpoint) => [endpoint]) : [plan.endpoints];
  const clients: Client[][] = [];
  try {
    for (const group of groups) clients.push(await connectAll(group));
    return await new Load(plan, clients).run();
  } finally {
    await Promise.all(clients.flat().map((client) => client.close()));
  }
}

function connectAll(endpoints: readonly string[]): Promise<Client[]> {
  return Promise.all(
    Array.from({ length: CONNECTIONS }, () => connect(endpoints, { timeout: CONNECT_TIMEOUT_MS, maxCalls: 100_000 })),
  );
}

class Load {
  readonly #plan: LoadPlan;
  /** For each group of servers, connections to it. */
  readonly #clients: readonly (readonly Client[])[];
  readonly #random: RandomStream;
  readonly #tally: Tally;
  readonly #value: Uint8Array;
  #sent = 0;
  #outstanding = 0;

  constructor(plan: LoadPlan, clients: readonly (readonly Client[])[]) {
    this.#plan = plan;
    this.#clients = clients;
    this.#random = randomStream(plan.seed, 'load');
    this.#value = new Uint8Array(plan.valueBytes).fill(0x76);
    this.#tally = new Tally(plan.intervalMs, plan.endpoints.length);
  }

  async run(): Promise<LoadResult> {
    const { pace, seconds, warmUpSeconds } = this.#plan;
    const began = performance.now() + warmUpSeconds * 1000;
    const ends = began + seconds * 1000;
    const before = process.cpuUsage();
    this.#tally.window(began, ends);
    if (pace.kind === 'closed') {
      await Promise.all(Array.from({ length: pace.clients }, (_, at) => this.#closed(at, ends)));
    } else {
      await this.#open(pace.perSecond, ends);
    }
    const { user, system } = process.cpuUsage(before);
    return this.#tally.result((user + system) / Math.max(1, this.#sent));
  }

  async #closed(at: number, ends: number): Promise<void> {
    while (performance.now() < ends) {
      const answered = await this.#one(at, performance.now());
      if (!answered) await sleep(REST_MS);
    }
  }

  /** In ticks of a millisecond: what is due in a tick leaves together, and its latency counts from the tick. */
  async #open(perSecond: number, ends: number): Promise<void> {
    const began = performance.now();
    const under: Set<Promise<unknown>> = new Set();
    let due = 0;
    for (let tick = began; tick < ends; tick += TICK_MS) {
      const early = tick - performance.now();
      if (early > 0) await sleep(early);
      this.#tally.late(performance.now() - tick, tick);
      for (const to = Math.floor(((tick - began + TICK_MS) * perSecond) / 1000); due < to; due++) {
        if (this.#outstanding >= MAX_OUTSTANDING) this.#tally.overflow(tick);
        else {
          const call = this.#one(due, tick);
          under.add(call);
          void call.finally(() => under.delete(call));
        }
      }
    }
    await Promise.all(under);
  }

  /** `intended`: when it was to be sent. Whether it was answered. */
  async #one(at: number, intended: number): Promise<boolean> {
    const { readPercent, serializable, keys, timeoutMs } = this.#plan;
    const group = at % this.#clients.length;
    const own = this.#clients[group] ?? [];
    const client = own[Math.floor(at / this.#clients.length) % own.length];
    if (client === undefined) throw new Error('A load needs at least one server.');
    const isRead = this.#random.below(100) < readPercent;
    const key = `k${String(this.#random.below(keys)).padStart(9, '0')}`;
    this.#sent += 1;
    this.#outstanding += 1;
    try {
      if (isRead) await client.get(key, { serializable, timeout: timeoutMs });
      else await client.put(key, this.#value, { timeout: timeoutMs });
      this.#tally.answered(isRead, intended, performance.now(), group);
      return true;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#tally.failed(error.code === 'OutcomeUnknown', intended);
      return false;
    } finally {
      this.#outstanding -= 1;
    }
  }
}
