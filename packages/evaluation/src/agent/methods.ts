/** What is said between the machine that runs an experiment and the agent on each host: a line of JSON each, over an ssh session. */
import type { ProcessExit, ProcessSpec } from '@quorate/processes';
import type { LinkFault } from '../harness/link.ts';
import type { PortRange } from '../harness/port-range.ts';
import type { Conditions } from '../report/conditions.ts';

/** How an agent is called, as JSON in its first argument. */
export interface AgentSettings {
  /** Made for it; it removes it at its end. */
  readonly root: string;
  /** Where its servers listen. */
  readonly address: string;
  /** Ports that may be used; null: any. */
  readonly ports: PortRange | null;
  readonly version: string;
}

/** What an agent does when it is asked. Numbers name processes and relays; whoever asks chooses them. */
export interface AgentMethods {
  ping(): Promise<void>;
  freePorts(count: number): Promise<readonly number[]>;
  newDirectory(name: string): Promise<string>;
  removeDirectory(directory: string): Promise<void>;
  readLog(file: string): Promise<string | null>;
  start(process: number, spec: ProcessSpec): Promise<void>;
  signal(process: number, signal: NodeJS.Signals): Promise<void>;
  /** Asks a server of this host by its loopback address. */
  post(port: number, path: string): Promise<void>;
  openRelay(relay: number, fault: LinkFault, seed: number, name: string): Promise<void>;
  openDoor(relay: number, at: number, port: number, target: number): Promise<void>;
  learn(relay: number, id: string, at: number): Promise<void>;
  closeRelay(relay: number): Promise<void>;
  /** Takes connections at a port of its address, which it returns, until `unlisten`. */
  listen(): Promise<number>;
  unlisten(): Promise<void>;
  /** Rejects when nobody takes a connection there. */
  reach(address: string, port: number): Promise<void>;
}

export interface AgentRequest {
  readonly call: number;
  readonly method: keyof AgentMethods;
  readonly args: readonly unknown[];
}

/** The first thing that an agent says. */
export interface AgentReady {
  readonly ready: { readonly node: string; readonly conditions: Conditions; readonly cleared: readonly string[] };
}

export type AgentMessage =
  | AgentReady
  | { readonly reply: number; readonly result: unknown }
  | { readonly reply: number; readonly error: string }
  | { readonly ended: number; readonly exit: ProcessExit; readonly logTail: string };

/** An agent that heard nothing for so long takes it that nobody is there any more. */
export const SILENCE_LIMIT_MS = 30_000;
/** How often it is told that somebody is. */
export const PING_EVERY_MS = 5_000;
/** No line is longer: the longest carries the end of a log. */
export const MAX_LINE_BYTES = 64 << 20;
/** Lines of its log that come with the end of a process. */
export const TOLD_LOG_LINES = 20;

/** The directories in which hosts keep what an experiment needs: the number of the process that made one follows. */
export const HOST_DIRECTORY_KIND = 'quorate-host-';
