/** The processes of a scenario, the network between them, and whoever waits for an answer. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RandomStream } from '@quorate/sim';
import type { Journal } from '../cluster/journal.ts';
import { DoorNetwork } from './door-network.ts';
import { DoorProcess } from './door-process.ts';
import { type DoorBody, DoorFailure, type DoorMessage } from './message.ts';

/** Milliseconds for init: some languages start slowly. */
const INIT_LIMIT = 10_000;
/** Who initializes servers. */
const OPERATOR = 'c0';

export interface DoorClusterOptions {
  readonly command: string;
  readonly servers: number;
  readonly random: RandomStream;
  readonly journal: Journal;
  readonly output: NodeJS.WritableStream | null;
}

type Answered = (body: DoorBody | null) => void;

export class DoorCluster {
  readonly nodes: readonly string[];
  readonly network: DoorNetwork;
  readonly random: RandomStream;
  /** Rejects when a process does what it must not. */
  readonly failed: Promise<never>;
  readonly #options: DoorClusterOptions;
  readonly #directory: string;
  readonly #processes = new Map<string, DoorProcess>();
  readonly #waiting = new Map<string, Answered>();
  #nextId = 1;
  #fail: (failure: DoorFailure) => void = () => undefined;

  private constructor(options: DoorClusterOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.random = options.random;
    this.nodes = Array.from({ length: options.servers }, (_, server) => `n${server + 1}`);
    this.network = new DoorNetwork(this.nodes, options.random.fork(), (message) => this.#deliver(message));
    this.network.partition([this.nodes]);
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever races with it handles it; a failure behind the end of a scenario concerns nobody.
    this.failed.catch(() => undefined);
  }

  static async make(options: DoorClusterOptions): Promise<DoorCluster> {
    return new DoorCluster(options, await mkdtemp(join(tmpdir(), 'quorate-door-')));
  }

  /** Starts servers and waits until each has answered init. */
  async start(nodes: readonly string[]): Promise<void> {
    await Promise.all(nodes.map((node) => this.#start(node)));
  }

  /** kill -9. */
  async kill(nodes: readonly string[]): Promise<void> {
    for (const node of nodes) this.#note(node, 'is killed');
    await Promise.all(nodes.flatMap((node) => this.#processes.get(node)?.kill() ?? []));
    for (const node of nodes) this.#processes.delete(node);
  }

  /** The answer to a client's call; null if there is none in time. */
  call(client: string, dest: string, body: DoorBody, limit: number): Promise<DoorBody | null> {
    const answer = this.#answerTo(client, limit);
    this.network.carry({ src: client, dest, body: { ...body, msg_id: answer.id } });
    return answer.body;
  }

  async end(): Promise<void> {
    this.network.stop();
    await this.kill(this.nodes);
    for (const answer of this.#waiting.values()) answer(null);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #start(node: string): Promise<void> {
    const { command, output } = this.#options;
    const directory = join(this.#directory, node);
    await mkdir(directory, { recursive: true });
    this.#note(node, 'starts');
    const onFailure = (failure: DoorFailure): void => this.#fail(failure);
    const onMessage = (message: DoorMessage): void => {
      this.#note(node, `says ${message.body.type} to ${message.dest}`);
      // The answer to init does not cross the network: that is no part of what is tested.
      if (message.dest === OPERATOR) this.#deliver(message);
      else this.network.carry(message);
    };
    const life = new DoorProcess({ node, command, directory, output, onMessage, onFailure });
    this.#processes.set(node, life);
    const answer = this.#answerTo(OPERATOR, INIT_LIMIT);
    life.send({
      src: OPERATOR,
      dest: node,
      body: { type: 'init', msg_id: answer.id, node_id: node, node_ids: this.nodes },
    });
    const body = await Promise.race([answer.body, this.failed]);
    if (body?.type === 'init_ok') return;
    const what = body === null ? `within ${INIT_LIMIT / 1000} seconds` : `with init_ok, but with ${body.type}`;
    throw new DoorFailure('hangs', node, `${node} has not answered init ${what}`);
  }

  #answerTo(client: string, limit: number): { readonly id: number; readonly body: Promise<DoorBody | null> } {
    const id = this.#nextId++;
    const key = `${client}/${id}`;
    const body = new Promise<DoorBody | null>((resolve) => {
      const timer = setTimeout(() => this.#waiting.get(key)?.(null), limit);
      this.#waiting.set(key, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(key);
        resolve(answer);
      });
    });
    return { id, body };
  }

  #deliver(message: DoorMessage): void {
    const { dest, body } = message;
    const server = this.#processes.get(dest);
    if (server !== undefined) server.send(message);
    else if (body.in_reply_to !== undefined) this.#waiting.get(`${dest}/${body.in_reply_to}`)?.(body);
  }

  #note(node: string, text: string): void {
    this.#options.journal.note(Number(node.slice(1)), text);
  }
}
