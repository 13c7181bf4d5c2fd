/** Where the servers of an experiment run: this machine, or a host that is reached over ssh. What experiments see is the same. */
import type { LayoutMember, ProcessExit, ProcessSpec, ServerProgram } from '@quorate/processes';
import type { LinkFault } from '../harness/link.ts';
import type { Conditions } from '../report/conditions.ts';

/** A server as a process, wherever it runs. */
export interface ServerProcess {
  readonly running: boolean;
  /** On this machine, while it runs; null where another machine looks after it. */
  readonly pid: number | null;
  /** How the last run ended; null while it runs and before the first. */
  readonly lastExit: ProcessExit | null;
  start(): void;
  /** Resolves when the process has it. Rejects when none runs. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** The last lines of its log. */
  logTail(lines: number): string;
}

/** The doors of a cluster's servers in one place, each with the relay behind it. */
export interface RelayDoors {
  /** Listens at `port` for the server at the place `at` of its cluster, whose own peer port is `target`. */
  open(at: number, port: number, target: number): Promise<void>;
  /** From now on `id`, as its hello says it, is the server at that place of the cluster. */
  learn(id: string, at: number): void;
  close(): Promise<void>;
}

export interface Place {
  /** For people. */
  readonly name: string;
  /** Where its servers listen: reached from here, and from every other place. */
  readonly address: string;
  /** What there is, as it was when the place was opened. */
  readonly conditions: Conditions;
  /** Different ports that are free there. */
  freePorts(count: number): Promise<readonly number[]>;
  /** A new directory for the servers of one cluster; `name` is part of its own. */
  newDirectory(name: string): Promise<string>;
  removeDirectory(directory: string): Promise<void>;
  /** The end of a log file there, or null if there is none. */
  readLog(file: string): Promise<string | null>;
  /** `quorate serve`, as it is called there. */
  serve(flags: readonly string[]): ServerProgram;
  process(spec: ProcessSpec): ServerProcess;
  /** A relay for one cluster: every way between its servers has this fault. Chance comes from `seed` and `name`. */
  relay(fault: LinkFault, seed: number, name: string): RelayDoors;
  /** Asks a page of a server that answers only who is on the same machine. */
  post(server: LayoutMember, path: string): Promise<void>;
}

/** The servers of one cluster that are in one place, and where their data and logs stand. */
export interface Home {
  readonly place: Place;
  readonly directory: string;
}

/** A server under experiment. */
export interface Server {
  readonly member: LayoutMember;
  readonly home: Home;
  readonly process: ServerProcess;
}
