/** One run: servers under faults, clients that write down what they see, and the judgement of all of it. */
import { cpSync, existsSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Violation } from '@quorate/sim';
import {
  type ClusterLayout,
  endpoints,
  LocalCluster,
  makeRunDirectory,
  type ProcessExit,
  type ServerProgram,
} from '@quorate/processes';
import { type FaultKind, faultKinds, schedule } from './faults.ts';
import { type FinalRead, readEverywhere, type StoreHash, untilAgreed } from './final-read.ts';
import { Journal } from './journal.ts';
import { removeLeftovers, RUN_KIND } from './leftovers.ts';
import { type Finding, judge } from './judge.ts';
import { Load } from './load.ts';
import { mayMakeNamespaces, Namespaces } from './namespaces.ts';
import { Nemesis } from './nemesis.ts';
import { Observer } from './observer.ts';
import { Loopback, type Place } from './place.ts';
import { DATA_NAME, mayMount, SmallDisks } from './small-disks.ts';

export interface ChaosOptions {
  readonly seconds: number;
  readonly servers: number;
  readonly clients: number;
  /** Calls a second that all clients together aim at. */
  readonly rate: number;
  readonly seed: number;
  /** Null for all that can be made here. */
  readonly only: readonly FaultKind[] | null;
  /** Loopback even where namespaces and mounts may be made. */
  readonly loopback: boolean;
  readonly report: (line: string) => void;
  /** Called every second with a line about how it goes. */
  readonly progress: (line: string) => void;
  /** Ends the run early; what there is by then is judged. */
  readonly stop: AbortSignal;
}

export interface ChaosResult {
  readonly place: string;
  readonly kinds: readonly FaultKind[];
  readonly missing: readonly FaultKind[];
  readonly journal: Journal;
  readonly interrupted: boolean;
  readonly operations: number;
  readonly groups: number;
  readonly polls: number;
  readonly keys: number;
  readonly revision: number;
  /** What each server held in the end, as one number: name and SHA-256. Empty if they never agreed. */
  readonly hashes: readonly StoreHash[];
  readonly linearizable: number;
  readonly undecided: readonly string[];
  readonly findings: readonly Finding[];
  /** Where data and logs of a failed run are kept; null where nothing failed. */
  readonly kept: string | null;
}

/** With so many operations a run ends, whatever time is left: some 500 bytes of memory each. */
export const MAX_OPERATIONS = 2_000_000;
/** Violations that are written down; the first ones tell most. */
const MAX_FINDINGS = 50;
const LOG_LINES = 5;

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  for (const sentence of removeLeftovers()) options.report(sentence);
  const place: Place = !options.loopback && mayMakeNamespaces() ? new Namespaces(process.pid) : new Loopback();
  const disks = !options.loopback && mayMount() ? new SmallDisks() : null;
  const missing = faultKinds.filter(
    (kind) => place.missing.some((each) => each === kind) || (kind === 'full-disk' && disks === null),
  );
  const kinds = (options.only ?? faultKinds).filter((kind) => !missing.includes(kind));
  if (kinds.length === 0) {
    throw new Error(
      `None of the faults asked for can be made here (${place.description}). Run as root, or ask for others.`,
    );
  }
  const directory = makeRunDirectory(RUN_KIND);
  const setting = { place, disks, kinds, missing, directory };
  let result: Omit<ChaosResult, 'kept'> | null = null;
  try {
    result = await new Run(options, setting).run();
  } finally {
    clearAway(setting, result !== null && result.findings.length === 0);
    // Whoever throws does not come to the line below; where the evidence is must be said all the same.
    if (result === null) options.report(`logs and data of the failed run: ${keptName(directory)}`);
  }
  return { ...result, kept: result.findings.length > 0 ? keptName(directory) : null };
}

/** What a failed run leaves is evidence: it is kept, under a name that the next run does not take for rubbish. */
function clearAway({ place, disks, directory }: Setting, passed: boolean): void {
  try {
    place.remove();
    if (!passed && disks !== null) saveData(directory);
  } finally {
    disks?.unmountAll();
  }
  if (passed) rmSync(directory, { recursive: true, force: true });
  else renameSync(directory, keptName(directory));
}

/** The small disks live in memory: what lies on them is copied beside them. */
function saveData(directory: string): void {
  for (const name of readdirSync(directory)) {
    const data = join(directory, name, DATA_NAME);
    if (existsSync(data)) cpSync(data, join(directory, `${name}-data`), { recursive: true, filter: isCopied });
  }
}

/** All but the socket by which a server holds its directory. */
function isCopied(path: string): boolean {
  return !lstatSync(path).isSocket();
}

function keptName(directory: string): string {
  return join(dirname(directory), `quorate-evidence-${basename(directory)}`);
}

interface Setting {
  readonly place: Place;
  readonly disks: SmallDisks | null;
  readonly kinds: readonly FaultKind[];
  readonly missing: readonly FaultKind[];
  readonly directory: string;
}

class Run {
  readonly #options: ChaosOptions;
  readonly #setting: Setting;
  readonly #journal = new Journal();
  readonly #findings: Finding[] = [];
  /** Ends the faults, the clients and the observer; in this order. */
  readonly #stop = { faults: new AbortController(), clients: new AbortController(), observer: new AbortController() };
  #nemesis: Nemesis | null = null;

  constructor(options: ChaosOptions, setting: Setting) {
    this.#options = options;
    this.#setting = setting;
  }

  async run(): Promise<Omit<ChaosResult, 'kept'>> {
    const { place, disks, kinds, missing, directory } = this.#setting;
    const { servers, seed, seconds, stop } = this.#options;
    const layout = await place.layout(directory, servers);
    disks?.mount(directory, layout);
    const program = disks === null ? place.program() : onSmallDisks(place.program());
    const cluster = new LocalCluster(program, layout, directory, (member, exit) =>
      this.#ended(cluster, member.name, exit),
    );
    const observer = new Observer(cluster.servers, this.#journal, (violation) => this.#found(violation));
    this.#nemesis = new Nemesis({
      cluster,
      place,
      observer,
      journal: this.#journal,
      found: (violation) => this.#found(violation),
    });
    const load = this.#load(layout);
    const endFaults = (): void => this.#stop.faults.abort();
    stop.addEventListener('abort', endFaults);
    const timer = setInterval(() => this.#options.progress(this.#line(load)), 1_000);
    try {
      cluster.startAll();
      await untilAgreed(cluster.servers);
      this.#options.report(this.#setup());
      this.#journal.begin();
      const end = setTimeout(endFaults, seconds * 1000);
      const observing = observer.run(this.#stop.observer.signal);
      const loading = load.run(this.#stop.clients.signal);
      const episodes = schedule({ seed, servers, kinds, mayMeet: place.cutsOutside });
      // Whoever fails first ends the run; the others are let go below.
      await Promise.race([this.#nemesis.run(episodes, this.#stop.faults.signal), failure(loading), failure(observing)]);
      clearTimeout(end);
      // Healed, with the clients still calling, so that what comes back comes back under load.
      await place.cut([], cluster.servers);
      await sleep(HEALED_MS);
      this.#stop.clients.abort();
      await loading;
      this.#journal.loadEnds();
      const final = await this.#finalRead(cluster, load);
      this.#stop.observer.abort();
      await observing;
      this.#options.report(`judging ${load.operations} operations in ${load.groups.all.length} groups of keys`);
      const judgement = await judge(load.groups.all);
      this.#findings.push(...judgement.findings.slice(0, MAX_FINDINGS));
      return {
        place: place.description,
        kinds,
        missing,
        journal: this.#journal,
        interrupted: stop.aborted,
        operations: load.operations,
        groups: load.groups.all.length,
        polls: observer.polls,
        ...final,
        linearizable: judgement.linearizable,
        undecided: judgement.undecided,
        findings: this.#findings,
      };
    } finally {
      clearInterval(timer);
      stop.removeEventListener('abort', endFaults);
      for (const each of Object.values(this.#stop)) each.abort();
      this.#nemesis = null;
      await cluster.killAll();
    }
  }

  #setup(): string {
    const { place, kinds, missing } = this.#setting;
    const without = missing.length === 0 ? '' : `; not possible here: ${missing.join(', ')}`;
    return `${this.#options.servers} servers, ${place.description}; faults: ${kinds.join(', ')}${without}`;
  }

  #load(layout: ClusterLayout): Load {
    const { seed, clients, rate } = this.#options;
    return new Load(
      { seed, clients, rate, endpoints: endpoints(layout), maxOperations: MAX_OPERATIONS },
      this.#journal,
      {
        violation: (violation) => this.#found(violation),
        full: () => this.#stop.faults.abort(),
      },
    );
  }

  async #finalRead(cluster: LocalCluster, load: Load): Promise<FinalRead> {
    try {
      await untilAgreed(cluster.servers);
      return await readEverywhere(cluster.servers, load.groups, this.#journal, (violation) => this.#found(violation));
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#found(error);
      return { keys: 0, revision: 0, hashes: [] };
    }
  }

  #found(violation: Violation): void {
    if (this.#findings.length >= MAX_FINDINGS) return;
    this.#findings.push({ violation, operations: [] });
    this.#options.report(violation.message);
  }

  /** A server that nobody told to end has no business ending; it is started again, so that the run goes on. */
  #ended(cluster: LocalCluster, name: string, { code, signal }: ProcessExit): void {
    if (this.#nemesis === null || this.#nemesis.hasSentenced(name)) return;
    const server = cluster.servers.find(({ member }) => member.name === name);
    const words = server?.process.logTail(LOG_LINES) ?? '';
    const how = `it ended by itself, code ${code}, signal ${signal}; the end of its log: ${words}`;
    this.#found(new Violation('stopped', `${name} was meant to run on, whatever its surroundings do`, how));
    // One that ends again and again is left alone: enough has been found.
    if (this.#findings.length < MAX_FINDINGS) server?.process.start();
  }

  #line(load: Load): string {
    const { seconds, faults } = this.#journal;
    const last = seconds.at(-2);
    const present = faults.filter(({ to }) => to === null).map(({ kind, targets }) => `${kind} ${targets.join('+')}`);
    const rate = last === undefined ? 0 : last.reads + last.writes;
    const found = this.#findings.length === 0 ? '' : `, ${this.#findings.length} FOUND`;
    return `${seconds.length} s of ${this.#options.seconds}: ${load.operations} operations, ${rate}/s${found} ${present.join(', ')}`;
  }
}

/** After the last fault. */
const HEALED_MS = 2_000;

function onSmallDisks(program: ServerProgram): ServerProgram {
  return {
    ...program,
    args: (layout, member, directory) => {
      const flags = program.args(layout, member, directory);
      flags[flags.indexOf('--data-dir') + 1] = SmallDisks.dataDirectory(directory, member);
      return flags;
    },
  };
}

/** Never resolves; rejects when `work` does. */
function failure(work: Promise<void>): Promise<never> {
  return new Promise((_, reject) => void work.catch(reject));
}
