import type { LocalCluster } from '@quorate/processes';
import type { DebuggerProcess } from './debugger-process.ts';
import type { EventList } from './event-list.ts';
import type { ServerWatch } from './server-watch.ts';

/** What the keys do to the cluster. Failures are told as events: the cluster may be in any state, and that is the point. */
export class Actions {
  readonly #cluster: LocalCluster;
  readonly #watch: ServerWatch;
  readonly #events: EventList;
  readonly #onDisturbance: (what: string) => void;
  readonly #byKey: Readonly<Record<string, () => Promise<void>>>;

  readonly #debugger: DebuggerProcess;

  constructor(
    cluster: LocalCluster,
    watch: ServerWatch,
    events: EventList,
    debuggerProcess: DebuggerProcess,
    onDisturbance: (what: string) => void,
  ) {
    this.#debugger = debuggerProcess;
    this.#onDisturbance = onDisturbance;
    this.#cluster = cluster;
    this.#watch = watch;
    this.#events = events;
    this.#byKey = {
      k: () => this.#killLeader(),
      r: () => this.#restart(),
      p: () => this.#partition(),
      s: () => this.#slow(),
      d: () => this.#debug(),
    };
  }

  async press(key: string): Promise<void> {
    try {
      await this.#byKey[key.toLowerCase()]?.();
    } catch (error) {
      this.#events.add(`${key}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #killLeader(): Promise<void> {
    const leader = this.#watch.leader;
    if (leader === null) return this.#events.add('There is no leader to kill.');
    this.#events.add(`kill -9 ${leader.process.pid}: ${leader.member.name}, the leader`);
    this.#onDisturbance(`kill -9 of ${leader.member.name}`);
    await leader.process.kill('SIGKILL');
    this.#watch.forget(leader.member.name);
  }

  // Without a pause inside, but of the same shape as the others.
  #restart(): Promise<void> {
    const down = this.#cluster.servers.filter(({ process }) => !process.running);
    if (down.length === 0) this.#events.add('Every server is running.');
    for (const { member, process } of down) {
      this.#watch.forget(member.name);
      process.start();
      this.#events.add(`started ${member.name}, pid ${process.pid}`);
    }
    return Promise.resolve();
  }

  async #partition(): Promise<void> {
    if (this.#watch.anyIsolated) {
      this.#onDisturbance('healing');
      await this.#watch.healAll();
      return this.#events.add('healed: every server reaches every other');
    }
    const leader = this.#watch.leader;
    if (leader === null) return this.#events.add('There is no leader to cut off.');
    this.#onDisturbance(`cutting ${leader.member.name} off`);
    await this.#watch.isolate(leader);
    this.#events.add(`cut ${leader.member.name}, the leader, off from the others`);
  }

  async #slow(): Promise<void> {
    if (this.#watch.anySlowed) {
      await this.#watch.unslowAll();
      return this.#events.add('every server at full speed again');
    }
    const leader = this.#watch.leader;
    const follower = this.#cluster.servers.find((server) => server.process.running && server !== leader);
    if (follower === undefined) return this.#events.add('There is no follower to slow.');
    this.#onDisturbance(`slowing ${follower.member.name}`);
    await this.#watch.slow(follower);
    this.#events.add(`slowed ${follower.member.name}`);
  }

  async #debug(): Promise<void> {
    this.#events.add('Reading what the servers wrote down…');
    this.#events.add(`the run so far, in the debugger: ${await this.#debugger.open()}`);
  }
}
