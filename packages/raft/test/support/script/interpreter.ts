/**
 * Carries out scripts: a vocabulary for everything that can happen to a cluster, one directive a line. What happened is
 * the trace between two directives.
 */
import {
  defaultOptions,
  type MemberChange,
  type MemberId,
  type RaftDefaults,
  type TimerName,
} from '../../../src/index.ts';
import { checkedCluster } from '../checked.ts';
import { Cluster, type ClusterOptions, type Flight, type FlightFilter } from '../cluster.ts';
import { configuration, firstIncarnation } from '../configurations.ts';
import type { Ghosts } from '../invariants/index.ts';
import { preload } from '../preload.ts';
import type { TestServer } from '../server.ts';
import {
  formatConfiguration,
  formatDuration,
  formatFollowers,
  formatLog,
  formatMessage,
  formatState,
} from './format.ts';
import { buildMessage } from './messages.ts';
import { Trace } from './trace.ts';
import { listOf, parseDuration, Words } from './words.ts';

type Directive = (words: Words) => void;

const timerNames: readonly TimerName[] = [
  'election',
  'heartbeat',
  'quorumCheck',
  'stickiness',
  'commitNotice',
  'transfer',
  'repair',
  'quiet',
];

export class Interpreter {
  readonly #trace = new Trace();
  #cluster: Cluster | null = null;
  #ghosts: Ghosts | null = null;
  #lastId = 0;

  /** Carries out one directive and returns the lines it printed. Throws ScriptError on a line that makes no sense. */
  run(line: string): string[] {
    const words = new Words(line);
    if (words.directive === 'quiet') {
      this.run(line.replace(/^quiet\s+/, ''));
      return [];
    }
    const directive = this.#directives[words.directive];
    if (directive === undefined) {
      return words.fail('is no directive');
    }
    directive(words);
    words.finish();
    return this.#trace.take();
  }

  readonly #directives: Readonly<Record<string, Directive>> = {
    cluster: (words) => this.#createCluster(words),
    given: (words) => this.#given(words),
    start: (words) => this.#each(words, (server) => server.start()),
    crash: (words) => this.#crash(words),
    restart: (words) => this.#each(words, (server) => server.start()),
    release: (words) => this.#setRelease(words),
    damage: (words) => this.#damage(words),
    wipe: (words) => this.#wipe(words),

    timeout: (words) => this.#timeout(words),
    wait: (words) => void (this.#world.now += parseDuration(words.next('a duration'), words)),
    run: (words) => this.#world.run(parseDuration(words.next('a duration'), words)),

    deliver: (words) => this.#flights(words, (flight) => this.#world.deliverFlight(flight)),
    drop: (words) => this.#flights(words, (flight) => this.#world.dropFlight(flight)),
    duplicate: (words) => this.#flights(words, (flight) => void this.#world.duplicate(flight)),
    settle: () => this.#world.settle(),
    partition: (words) => this.#world.partition(...words.rest().map(listOf)),
    cut: (words) => this.#links(words, (from, to) => this.#world.cut(from, to)),
    mend: (words) => this.#links(words, (from, to) => this.#world.mend(from, to)),
    heal: () => this.#world.heal(),
    unreachable: (words) => this.#tellOfPeer(words, 'unreachable'),
    gone: (words) => this.#tellOfPeer(words, 'peerGone'),
    message: (words) => this.#forge(words),

    disk: (words) => this.#automate(words, 'disk'),
    applies: (words) => this.#automate(words, 'apply'),
    loads: (words) => this.#automate(words, 'load'),
    persisted: (words) => this.#server(words).completeDisk(this.#optionalNumber(words)),
    apply: (words) => this.#server(words).completeApply(this.#optionalNumber(words)),
    load: (words) => this.#load(words),

    propose: (words) => this.#propose(words),
    read: (words) => this.#server(words).read(this.#nextIds(1)),
    change: (words) => this.#change(words),
    transfer: (words) => this.#transfer(words),
    compact: (words) => this.#compact(words),
    'snapshot-sent': (words) => this.#snapshotSent(words),

    trace: (words) => this.#setTrace(words),
    state: (words) => this.#print(words, (server) => [formatState(server)]),
    log: (words) => this.#print(words, (server) => [formatLog(server)]),
    followers: (words) => this.#print(words, formatFollowers),
    machine: (words) => this.#print(words, (server) => [`${server.id} machine (${server.machine.commands.join(' ')})`]),
    configuration: (words) =>
      this.#print(words, (server) => [`${server.id} ${formatConfiguration(server.core.configuration)}`]),
    timers: (words) => this.#print(words, formatTimers),
    flights: (words) => this.#printFlights(words),
  };

  get #world(): Cluster {
    if (this.#cluster === null) {
      throw new Error('a script begins with `cluster`');
    }
    return this.#cluster;
  }

  #createCluster(words: Words): void {
    const unchecked = words.optional((word) => word === 'unchecked') !== null;
    const voters = words.rest();
    const given: ClusterOptions = {
      configuration: configuration({
        voters,
        outgoing: words.list('outgoing'),
        learners: words.list('learners'),
        unbound: words.list('unbound'),
      }),
      strangers: words.list('strangers'),
      observers: [this.#trace],
      options: parseOptions(words),
    };
    if (unchecked) {
      this.#cluster = new Cluster(given);
    } else {
      const { cluster, ghosts } = checkedCluster(given);
      this.#cluster = cluster;
      this.#ghosts = ghosts;
    }
  }

  #setRelease(words: Words): void {
    const [min, max] = words
      .next('versions')
      .split('..')
      .map((each) => words.parseNumber(each));
    const needs = {
      membershipChanges: words.number('changes') ?? 2,
      leadershipTransfer: words.number('transfers') ?? 2,
    };
    this.#each(words, (server) => {
      server.release = { min: min ?? 1, max: max ?? 1, needs };
    });
  }

  #given(words: Words): void {
    const id = words.next('a server');
    const log = words.list('log').map((term) => words.parseNumber(term));
    const snapshot = words.number('snapshot');
    const tail = words.number('tail');
    preload(this.#world, this.#ghosts, id, {
      log,
      term: words.number('term') ?? 0,
      vote: words.value('vote'),
      committed: words.number('committed') ?? 0,
      ...(snapshot === null ? {} : { snapshot }),
    });
    if (tail !== null) {
      this.#world.server(id).tailLength = tail;
    }
  }

  #crash(words: Words): void {
    const survivors = words.number('survivors') ?? 0;
    this.#each(words, (server) => server.crash(survivors));
  }

  /** Records rot; a start, or whoever reads them first, will notice. */
  #damage(words: Words): void {
    const { disk } = this.#server(words);
    for (const word of words.rest()) {
      disk.damage(words.parseNumber(word));
    }
  }

  #wipe(words: Words): void {
    const id = words.next('a server');
    this.#world.wipe(id, words.value('incarnation') ?? words.fail('expects incarnation=…'));
  }

  #timeout(words: Words): void {
    const server = this.#server(words);
    const name = words.next('a timer');
    const known = timerNames.find((timer) => timer === name) ?? words.fail(`knows no timer ${name}`);
    const generation = words.number('generation');
    if (generation === null) {
      server.fire(known);
    } else {
      server.input({ kind: 'timeout', name: known, generation, now: this.#world.now });
    }
  }

  #flights(words: Words, act: (flight: Flight) => void): void {
    const numbered = words.optional((word) => word.startsWith('#'));
    const found =
      numbered === null
        ? this.#matching(words)
        : this.#world.flights.filter((flight) => `#${flight.number}` === numbered);
    if (found.length === 0) {
      words.fail('matches no message in flight');
    }
    for (const flight of found) {
      act(flight);
    }
  }

  #matching(words: Words): Flight[] {
    const link = words.optional((word) => word.includes('->'))?.split('->');
    const kind = words.optional();
    const filter: FlightFilter = {
      ...(link?.[0] ? { from: link[0] } : {}),
      ...(link?.[1] ? { to: link[1] } : {}),
    };
    const term = words.number('term');
    const found = this.#world
      .find(filter)
      .filter(({ message }) => (kind === null || message.kind === kind) && (term === null || message.term === term));
    const last = words.number('last');
    return last === null ? found.slice(0, words.number('first') ?? found.length) : found.slice(-last);
  }

  #links(words: Words, act: (from: MemberId, to: MemberId) => void): void {
    for (const link of words.rest()) {
      const [from, to] = link.split('->');
      act(this.#world.server(from ?? '').id, this.#world.server(to ?? '').id);
    }
  }

  #tellOfPeer(words: Words, kind: 'unreachable' | 'peerGone'): void {
    this.#server(words).input({ kind, peer: words.next('a peer'), now: this.#world.now });
  }

  #forge(words: Words): void {
    const [from = '', to = ''] = words.next('a link').split('->');
    const kind = words.next('a kind of message');
    const envelope = {
      group: words.number('group') ?? 0,
      from,
      to: words.value('to') ?? to,
      incarnation: words.value('incarnation') ?? firstIncarnation(from),
      term: words.number('term') ?? 0,
    };
    this.#world.server(to).receive(buildMessage(kind, envelope, words));
  }

  #automate(words: Words, duty: 'disk' | 'apply' | 'load'): void {
    const mode =
      words.optional((word) => word === 'held' || word === 'auto') ?? words.fail('expects held or auto, then servers');
    this.#each(words, (server) => {
      server.automatic[duty] = mode === 'auto';
      if (mode === 'auto' && server.running) {
        server.flush();
      }
    });
  }

  #load(words: Words): void {
    const server = this.#server(words);
    if (words.optional((word) => word === 'failed') === null) {
      server.completeLoad(this.#optionalNumber(words));
      return;
    }
    const reason = words.next('a reason');
    server.failLoad(reason === 'compacted' || reason === 'faulty' ? reason : words.fail(`knows no reason ${reason}`));
  }

  #propose(words: Words): void {
    const server = this.#server(words);
    const bytes = words.number('bytes');
    const count = words.number('count') ?? 1;
    const commands = bytes === null ? words.rest() : this.#largeCommands(count, bytes);
    server.propose(this.#nextIds(commands.length), commands);
  }

  #change(words: Words): void {
    const server = this.#server(words);
    const version = words.number('version');
    const changes = words.rest().map((word) => parseChange(word, words));
    server.change(this.#nextIds(1), changes, version);
  }

  #transfer(words: Words): void {
    const server = this.#server(words);
    server.transfer(this.#nextIds(1), words.optional());
  }

  /** Told apart by the id that each is about to get. */
  #largeCommands(count: number, bytes: number): string[] {
    return Array.from({ length: count }, (_, offset) => `${this.#lastId + 1 + offset}`.padEnd(bytes, '.'));
  }

  #compact(words: Words): void {
    const server = this.#server(words);
    server.compact(words.number('through') ?? server.machine.position.index);
  }

  #snapshotSent(words: Words): void {
    const server = this.#server(words);
    const peer = words.next('a peer');
    const delivered = words.next('delivered or failed') === 'delivered';
    server.input({ kind: 'snapshotSent', peer, delivered, now: this.#world.now });
  }

  #setTrace(words: Words): void {
    if (words.next('timers') !== 'timers') {
      words.fail('can show timers only');
    }
    this.#trace.timers = words.next('on or off') === 'on';
  }

  #print(words: Words, format: (server: TestServer) => readonly string[]): void {
    this.#each(words, (server) => {
      for (const line of format(server)) {
        this.#trace.say(line);
      }
    });
  }

  #printFlights(words: Words): void {
    for (const { number, message } of this.#matching(words)) {
      this.#trace.say(`#${number} ${message.from} -> ${message.to} ${formatMessage(message)}`);
    }
  }

  #server(words: Words): TestServer {
    return this.#world.server(words.next('a server'));
  }

  /** The servers named, or all of them. */
  #each(words: Words, act: (server: TestServer) => void): void {
    const ids = words.rest();
    for (const id of ids.length > 0 ? ids : [...this.#world.servers.keys()]) {
      act(this.#world.server(id));
    }
  }

  #optionalNumber(words: Words): number | undefined {
    const word = words.optional();
    return word === null ? undefined : words.parseNumber(word);
  }

  #nextIds(count: number): number {
    const first = this.#lastId + 1;
    this.#lastId += count;
    return first;
  }
}

function parseOptions(words: Words): Partial<RaftDefaults> {
  const options: Record<string, number | boolean> = {};
  for (const [name, value] of words.remaining()) {
    const known = Object.entries(defaultOptions).find(([key]) => key === name);
    if (known === undefined) {
      return words.fail(`knows no option ${name}`);
    }
    options[name] = typeof known[1] === 'boolean' ? parseFlag(value, words) : parseAmount(value, words);
  }
  return options;
}

function parseFlag(value: string, words: Words): boolean {
  if (value !== 'yes' && value !== 'no') return words.fail(`expected yes or no, not ${value}`);
  return value === 'yes';
}

function parseAmount(value: string, words: Words): number {
  return /[a-z]$/.test(value) ? parseDuration(value, words) : words.parseNumber(value);
}

function formatTimers(server: TestServer): string[] {
  const armed = [...server.timers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return armed.map((timer) => `${server.id} ${timer.name} ${formatDuration(timer.min)}..${formatDuration(timer.max)}`);
}

/** `add:n4`, `learn:n4`, `remove:n2`, `promote:n4`, `demote:n1`, `update:n1:elsewhere`, `readmit:n3:n3-2`. */
function parseChange(word: string, words: Words): MemberChange {
  const [op = '', id = '', rest = ''] = word.split(':');
  switch (op) {
    case 'add':
    case 'learn':
      return { op: 'add', id, context: rest, voter: op === 'add' };
    case 'remove':
    case 'promote':
    case 'demote':
      return { op, id };
    case 'update':
      return { op, id, context: rest };
    case 'readmit':
      return { op, id, incarnation: rest };
    default:
      return words.fail(`knows no change ${op}`);
  }
}
