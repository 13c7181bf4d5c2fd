import { type Client, ClientError, connect } from '@quorate/client';
import { endpoints, LocalCluster, memberDirectory } from '@quorate/processes';
import { quorateProgram } from '../programs.ts';
import { Actions } from './actions.ts';
import { DebuggerProcess } from './debugger-process.ts';
import { EventList } from './event-list.ts';
import { type DevFlags, type Prepared, prepare } from './prepare.ts';
import { ServerWatch } from './server-watch.ts';
import { SteadyLoad } from './steady-load.ts';
import { Terminal } from './terminal.ts';
import { type DevView, etcdctlLine, screenLines, summaryLine } from './view.ts';

export type { DevFlags } from './prepare.ts';

const PAINT_EVERY_MS = 200;
const LINE_EVERY_MS = 1_000;
/** How long the servers may take to answer for the first time. */
const START_TIMEOUT_MS = 60_000;
/** A pause that lasts is shown while it lasts, from here on. */
const ALARMING_PAUSE_MS = 250;
/** What the key d shows is written down here, by each server: the smallest ring there is. */
const RECORDING = String(64 << 20);
/** Ctrl-C in raw mode arrives as this character. */
const CTRL_C = '\x03';

/** Starts the cluster and its load, shows both, obeys keys, and leaves nothing behind. Returns after `q` or a signal. */
export async function runDev(flags: DevFlags): Promise<void> {
  const prepared = await prepare(flags);
  for (const remark of prepared.remarks) print(remark);
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  const session = new Session(prepared, interactive ? null : print);
  const stopListening = onEndSignals(() => session.quit());
  try {
    await session.run(interactive);
  } finally {
    stopListening();
  }
  if (session.lost > 0) process.exitCode = 1;
}

class Session {
  readonly #prepared: Prepared;
  readonly #events: EventList;
  readonly #cluster: LocalCluster;
  readonly #watch: ServerWatch;
  readonly #actions: Actions;
  readonly #debugger: DebuggerProcess;
  readonly #quitting = new AbortController();
  readonly #beganAt = performance.now();
  #load: SteadyLoad | null = null;

  constructor(prepared: Prepared, onEvent: ((line: string) => void) | null) {
    this.#prepared = prepared;
    this.#events = new EventList(onEvent);
    const { layout, directory } = prepared;
    this.#cluster = new LocalCluster(
      quorateProgram(['--enable-fault-injection', '--flight-recorder', '--flight-recorder-bytes', RECORDING]),
      layout,
      directory,
      (member, exit) => {
        if (this.#quitting.signal.aborted) return;
        const how = exit.signal ?? `code ${exit.code}`;
        this.#events.add(`${member.name} has ended (${how}); its log is ${directory}/${member.name}.log`);
      },
    );
    this.#watch = new ServerWatch(this.#cluster);
    this.#debugger = new DebuggerProcess(layout.members.map((member) => memberDirectory(directory, member)));
    this.#actions = new Actions(this.#cluster, this.#watch, this.#events, this.#debugger, (what) =>
      this.#load?.pauses.disturbed(what),
    );
  }

  get lost(): number {
    return this.#load?.ledger.lost ?? 0;
  }

  /** Asks for an orderly end; asked twice, the servers are killed. */
  quit(): void {
    if (this.#quitting.signal.aborted) void this.#cluster.killAll();
    else this.#quitting.abort();
  }

  async run(interactive: boolean): Promise<void> {
    this.#cluster.startAll();
    this.#watch.start();
    const stopShowing = interactive ? this.#showScreen() : this.#showLines();
    let farewell: readonly string[] = [];
    try {
      farewell = await this.#work();
    } finally {
      this.#watch.stop();
      this.#debugger.close();
      stopShowing();
      await this.#cluster.stopAll();
    }
    for (const line of farewell) print(line);
  }

  /** Connects, writes and checks until somebody quits. Returns what to say at the end. */
  async #work(): Promise<readonly string[]> {
    const client = await this.#connect();
    if (client === null) return ['Ended before the servers answered.'];
    try {
      const load = new SteadyLoad(client, this.#prepared.ratePerSecond);
      this.#load = load;
      const started = load.start();
      await aborted(this.#quitting.signal);
      const unchecked = await load.stop();
      await started;
      return this.#farewell(load, unchecked);
    } finally {
      await client.close();
    }
  }

  /** Null when somebody quits first. */
  async #connect(): Promise<Client | null> {
    const { signal } = this.#quitting;
    try {
      const first = await connect(endpoints(this.#prepared.layout), { timeout: START_TIMEOUT_MS, signal });
      await first.close();
      return await connect(endpoints(this.#prepared.layout), { signal });
    } catch (error) {
      if (error instanceof ClientError && error.code === 'Aborted') return null;
      throw error;
    }
  }

  #farewell(load: SteadyLoad, unchecked: string | null): readonly string[] {
    const { acknowledged, lost, unknown, checked, brokenPromises } = load.ledger;
    return [
      `${acknowledged} writes acknowledged, ${lost} lost, ${unknown} with unknown outcome; ${checked} reads checked.`,
      ...(unchecked === null ? [] : [unchecked]),
      ...brokenPromises.slice(0, 20),
      `Data stays in ${this.#prepared.directory}; the next start goes on with it.`,
    ];
  }

  #showScreen(): () => void {
    const terminal = new Terminal(process.stdin, process.stdout, (key) => {
      if (key === 'q' || key === 'Q' || key === CTRL_C) this.quit();
      else void this.#actions.press(key);
    });
    const paint = (): void => terminal.paint(screenLines(this.#view(), terminal.columns, terminal.rows));
    terminal.hold();
    const timer = setInterval(paint, PAINT_EVERY_MS);
    process.stdout.on('resize', paint);
    return () => {
      clearInterval(timer);
      process.stdout.off('resize', paint);
      terminal.release();
    };
  }

  #showLines(): () => void {
    print(etcdctlLine(endpoints(this.#prepared.layout), Number.POSITIVE_INFINITY));
    const timer = setInterval(() => print(summaryLine(this.#view())), LINE_EVERY_MS);
    return () => clearInterval(timer);
  }

  #view(): DevView {
    const now = performance.now();
    const pauses = this.#load?.pauses;
    const last = pauses?.last ?? null;
    const current = pauses?.current(now) ?? null;
    return {
      upSeconds: (now - this.#beganAt) / 1000,
      servers: this.#watch.lines(),
      acknowledged: this.#load?.ledger.acknowledged ?? 0,
      lost: this.lost,
      refused: this.#load?.ledger.refused ?? 0,
      unknown: this.#load?.ledger.unknown ?? 0,
      checked: this.#load?.ledger.checked ?? 0,
      currentPause: current !== null && current >= ALARMING_PAUSE_MS ? current : null,
      lastPause: last === null ? null : { ms: last.ms, secondsAgo: (now - last.endedAt) / 1000, after: last.after },
      events: this.#events.all,
      dataDirectory: this.#prepared.directory,
      endpoints: endpoints(this.#prepared.layout),
    };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function onEndSignals(listener: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
