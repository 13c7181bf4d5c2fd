/**
 * Three cores in one process, no disk, no network: what the algorithm itself costs. Entries of 256 bytes, counted when the
 * leader has committed and applied them. See README.md; `npm run build` first. A number behind it: that share of the work, to see it run.
 */
import process from 'node:process';
import { defaultOptions, freshState, initialConfiguration, Raft } from '@quorate/raft';

const payload = new Uint8Array(256).fill(120);
const ids = ['n1', 'n2', 'n3'];

/** A server whose disk and state machine answer at once. */
class Server {
  constructor(id, configuration, network) {
    this.core = new Raft({ ...defaultOptions, id, incarnation: `${id}-1` }, freshState(configuration));
    this.network = network;
    this.applied = 0;
    /** The generations of its timers. */
    this.timers = new Map();
    this.flush();
  }

  step(input) {
    this.core.step(input);
    this.flush();
  }

  runOut(name) {
    this.step({ kind: 'timeout', name, generation: this.timers.get(name), now: 0 });
  }

  flush() {
    for (let output = this.core.takeOutput(); this.carryOut(output); output = this.core.takeOutput());
  }

  /** Returns whether the core was told anything, so that it may have more to say. */
  carryOut(output) {
    let told = false;
    for (const { name, generation } of output.arm) this.timers.set(name, generation);
    for (const { message } of output.send) this.network.push(message);
    if (output.persist !== null) {
      this.core.step({ kind: 'persisted', id: output.persist.id, now: 0 });
      told = true;
    }
    if (output.apply !== null) {
      const { from, to } = output.apply;
      for (let next = from; next <= to; ) {
        const entries = this.core.entries(next, to, 1 << 20);
        if (entries.length === 0) throw new Error(`entry ${next} is to be applied and not in memory`);
        next += entries.length;
      }
      this.applied = to;
      this.core.step({ kind: 'applied', index: to, now: 0 });
      told = true;
    }
    return told;
  }
}

function startCluster() {
  const network = [];
  const configuration = initialConfiguration(ids.map((id) => ({ id, incarnation: `${id}-1`, context: '' })));
  const servers = new Map(ids.map((id) => [id, new Server(id, configuration, network)]));
  const deliver = () => {
    for (let at = 0; at < network.length; at++) {
      const message = network[at];
      servers.get(message.to).step({ kind: 'message', message, now: 0 });
    }
    network.length = 0;
  };
  const leader = servers.get('n1');
  leader.runOut('election');
  deliver();
  if (leader.core.role !== 'leader') throw new Error(`n1 is ${leader.core.role}, not leader`);
  return { leader, deliver, servers };
}

/** Committed entries a second, when proposals come `batch` at a time. */
function run(total, batch) {
  const { leader, deliver, servers } = startCluster();
  const commands = Array.from({ length: batch }, () => payload);
  const base = leader.applied;
  const begin = process.hrtime.bigint();
  for (let done = 0; done < total; done += batch) {
    leader.step({ kind: 'propose', id: done + 1, commands, now: 0 });
    deliver();
    if (leader.applied !== base + done + batch)
      throw new Error(`applied ${leader.applied}, expected ${base + done + batch}`);
  }
  // The last entry's followers hear of it by a message of its own.
  leader.runOut('commitNotice');
  deliver();
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  for (const server of servers.values()) {
    if (server.applied !== leader.applied) throw new Error('a follower lags behind');
  }
  return Math.round(total / seconds);
}

/** The best of a few rounds: other work on the machine only ever slows one down. */
function best(total, batch) {
  let rate = 0;
  for (let round = 0; round < 5; round++) rate = Math.max(rate, run(total, batch));
  return rate;
}

const share = Number(process.argv[2] ?? 1);
const result = {
  implementation: 'quorate',
  batched: best(400_000 * share, 1000),
  oneByOne: best(60_000 * share, 1),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
