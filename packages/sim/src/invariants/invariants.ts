/**
 * Every invariant of docs/invariants.md that can be judged from what a world tells its watchers, checked after every step. A step
 * changes one server, and only what it touched is looked at. Throws a Violation: the first one found, with the two facts that
 * contradict each other.
 */
import type { CoreLife } from '@quorate/runtime';
import type { Input, MemberId, Message, Output } from '@quorate/raft';
import type { DiskFaultKind } from '../disk/index.ts';
import type { AppliedEntry, Damage, WorldWatcher } from '../watch.ts';
import { CommitAndApply } from './commit-and-apply.ts';
import { Configurations } from './configurations.ts';
import { DurabilityChecks } from './durability.ts';
import { Ghosts } from './ghosts.ts';
import { Judge } from './judge.ts';
import { Logs } from './logs.ts';
import { ReadsAndClients } from './reads-and-clients.ts';
import { Resources } from './resources.ts';
import type { ServerGhost } from './server-ghost.ts';
import { Simulator } from './simulator.ts';
import { Snapshots } from './snapshots.ts';
import { TermsVotesLeaders } from './terms-votes-leaders.ts';
import { Versions } from './versions.ts';

export interface InvariantsOptions {
  /** False if damage to disks may be more than a quorum survives: D4 is not checked then. Default: true. */
  readonly isDamageBudgeted?: boolean;
  /** The id of the one invariant to speak of, whatever else is broken before: so tests of a check see that check. Default: null, all. */
  readonly only?: string | null;
}

export class Invariants implements WorldWatcher {
  readonly #ghosts: Ghosts;
  readonly #simulator: Simulator;
  readonly #terms: TermsVotesLeaders;
  readonly #logs: Logs;
  readonly #commits: CommitAndApply;
  readonly #durability: DurabilityChecks;
  readonly #snapshots: Snapshots;
  readonly #configurations: Configurations;
  readonly #versions: Versions;
  readonly #reads: ReadsAndClients;
  readonly #resources: Resources;

  constructor({ isDamageBudgeted = true, only = null }: InvariantsOptions = {}) {
    const ghosts = new Ghosts(new Judge(only));
    this.#ghosts = ghosts;
    this.#simulator = new Simulator(ghosts);
    this.#terms = new TermsVotesLeaders(ghosts);
    this.#logs = new Logs(ghosts);
    this.#commits = new CommitAndApply(ghosts);
    this.#durability = new DurabilityChecks(ghosts, isDamageBudgeted);
    this.#snapshots = new Snapshots(ghosts);
    this.#configurations = new Configurations(ghosts);
    this.#versions = new Versions(ghosts);
    this.#reads = new ReadsAndClients(ghosts);
    this.#resources = new Resources(ghosts.judge);
  }

  /** The highest index that any leader has committed. */
  get committedIndex(): number {
    return this.#ghosts.committedIndex;
  }

  /** Entries that are remembered: those that not every server has compacted. */
  get remembered(): number {
    return this.#ghosts.tree.size;
  }

  onStart(id: MemberId, life: CoreLife): void {
    const { server, isKnown } = this.#ghosts.start(id, life);
    if (isKnown) this.#durability.restarted(server, life.recovered);
    else this.#durability.checkContent(server, life.recovered);
    server.begin(life.recovered);
    this.#snapshots.started(server, life.recovered);
    this.#configurations.started(server, life.recovered);
    server.before.take(life.raft.state);
  }

  onInput(id: MemberId, input: Input): void {
    const server = this.#simulator.running(id, 'it is handed a', input.kind);
    this.#simulator.stepped(server, input);
    this.#durability.stepped(server, input);
    this.#terms.stepped(server, input);
    this.#logs.stepped(server, input);
    this.#commits.stepped(server, input);
    this.#snapshots.stepped(server, input);
    this.#reads.stepped(server, input);
    server.before.take(server.raft.state);
  }

  onOutput(id: MemberId, output: Output): void {
    const server = this.#simulator.running(id, 'it gives', 'an output');
    for (const { message } of output.send) {
      if (message.kind === 'fetchEntriesReply') this.#durability.denying(server, message, output.persist);
    }
    if (output.persist === null) this.#durability.idle(server);
    else {
      this.#durability.persisting(server, output.persist);
      server.life.pending.push(this.#logs.persisting(server, output.persist));
    }
    for (const outgoing of output.send) this.#durability.output(server, outgoing);
    this.#logs.output(server, output);
    if (server.foundFaulty.size > 0) server.foundFaulty.clear();
    this.#snapshots.output(server, output);
    this.#configurations.output(server, output);
    this.#versions.output(server, output);
    this.#reads.output(server, output);
    this.#resources.output(server);
  }

  onSend(id: MemberId, message: Message): void {
    const server = this.#simulator.running(id, 'it sends a', message.kind);
    this.#terms.sent(server, message);
    this.#durability.sent(server, message);
    this.#logs.sent(server, message);
    this.#commits.sent(server, message);
    this.#versions.sent(server, message);
  }

  onApply(id: MemberId, entry: AppliedEntry): void {
    const server = this.#simulator.running(id, 'it applies entry', entry.index);
    this.#commits.applied(server, entry);
    this.#reads.applied(server, entry);
  }

  onRestore(id: MemberId, index: number, digest: number): void {
    this.#snapshots.restored(id, index, digest);
  }

  onCrash(id: MemberId): void {
    const server = this.#ghosts.servers.get(id);
    if (server !== undefined) server.end();
  }

  onFatal(id: MemberId, code: string, message: string): void {
    this.#resources.ended(id, code, message);
    this.#versions.ended(id, code, message);
    const server = this.#ghosts.servers.get(id);
    if (server === undefined) return;
    server.end();
    server.fatal = code;
  }

  onDamage(id: MemberId, damage: Damage): void {
    const server = this.#ghosts.servers.get(id);
    if (server !== undefined) this.#durability.damaged(server, damage);
  }

  onDiskFault(id: MemberId, kind: DiskFaultKind, path: string): void {
    const server = this.#ghosts.servers.get(id);
    if (server !== undefined) this.#durability.faulted(server, kind, path);
  }

  /** What must hold then (C9, D3) is checked for every server that runs. */
  onRest(): void {
    for (const server of this.#ghosts.servers.values()) {
      if (server.isRunning) this.#checkAtRest(server);
    }
  }

  #checkAtRest(server: ServerGhost): void {
    this.#durability.idle(server);
    this.#commits.rest(server);
  }
}
