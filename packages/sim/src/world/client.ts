/**
 * A client: one call after another, over a network that loses requests and answers. What it saw is a history (history.ts). One
 * whose write was left open has no business going on as if it knew: it retires, and another takes its place.
 */
import { CallOutcome } from '@quorate/kv/api';
import { type RpcStatus, StatusCode } from '@quorate/kv';
import type { KvRequest, KvResponse, Operation, OperationOutcome } from '../history.ts';
import type { RandomStream } from '../random.ts';
import { VirtualCall } from './call.ts';
import { decodeResponse, encodeRequest, methodOf } from './kv-messages.ts';
import type { ServerProcess } from './process.ts';
import type { Workload } from './workload.ts';
import type { World } from './world.ts';

export interface ClientOptions {
  /** Where it stands in the network. */
  readonly name: string;
  /** Pause between calls, evenly drawn up to twice this. Microseconds. */
  readonly thinkMicros: number;
  /** After so long without an answer it gives up. Microseconds. */
  readonly patience: number;
}

/** The clients of a world, and what they saw. */
export class History {
  readonly operations: Operation[] = [];
  readonly #open = new Map<number, { readonly request: KvRequest; readonly called: number }>();
  #nextClient = 1;

  newClient(): number {
    return this.#nextClient++;
  }

  called(client: number, request: KvRequest, called: number): void {
    this.#open.set(client, { request, called });
  }

  returned(client: number, returned: number | null, outcome: OperationOutcome): void {
    const open = this.#open.get(client);
    if (open === undefined) throw new Error(`Client ${client} has no call open.`);
    this.#open.delete(client);
    this.operations.push({ client, ...open, returned, outcome });
  }

  /** Calls that have no answer yet. */
  get open(): number {
    return this.#open.size;
  }

  /** All operations, those still open included. */
  whole(): readonly Operation[] {
    const open = [...this.#open].map(([client, { request, called }]): Operation => {
      return { client, request, called, returned: null, outcome: { kind: 'unknown', code: 'open' } };
    });
    return [...this.operations, ...open];
  }
}

export class VirtualClient {
  readonly #world: World;
  readonly #history: History;
  readonly #workload: Workload;
  readonly #stream: RandomStream;
  readonly #options: ClientOptions;
  /** In the history; anew after each write whose outcome is open. */
  #id: number;
  #server: ServerProcess | null = null;
  #isStopped = false;

  constructor(world: World, history: History, workload: Workload, stream: RandomStream, options: ClientOptions) {
    this.#world = world;
    this.#history = history;
    this.#workload = workload;
    this.#stream = stream;
    this.#options = options;
    this.#id = history.newClient();
  }

  start(): void {
    this.#pause();
  }

  /** Makes no further calls. */
  stop(): void {
    this.#isStopped = true;
  }

  /** One call to a server of choice; `done` hears how it ended. */
  ask(server: ServerProcess, request: KvRequest, done: (outcome: OperationOutcome) => void): void {
    const { clock, network } = this.#world;
    this.#history.called(this.#id, request, clock.now);
    const call = new OpenCall(this.#world, this.#options, server, request, (outcome) => {
      this.#history.returned(this.#id, outcome.kind === 'unknown' ? null : clock.now, outcome);
      if (outcome.kind === 'unknown') this.#id = this.#history.newClient();
      done(outcome);
    });
    network.send(this.#options.name, server.id, () => call.arrive());
  }

  #pause(): void {
    this.#world.clock.after(this.#stream.below(2 * this.#options.thinkMicros + 1), () => {
      if (!this.#isStopped) this.#next();
    });
  }

  #next(): void {
    const server = this.#choose();
    const request = this.#workload.next(this.#stream);
    this.ask(server, request, (outcome) => {
      if (outcome.kind === 'ok') this.#workload.saw(outcome.response);
      // Whoever answered well is asked again, mostly.
      this.#server = outcome.kind === 'ok' && this.#stream.below(4) > 0 ? server : null;
      this.#pause();
    });
  }

  #choose(): ServerProcess {
    return this.#server ?? this.#stream.pick(this.#world.servers);
  }
}

/** One call on its way: it ends once, by an answer, a lost connection or the client's patience. */
class OpenCall {
  readonly #world: World;
  readonly #client: ClientOptions;
  readonly #server: ServerProcess;
  readonly #request: KvRequest;
  readonly #done: (outcome: OperationOutcome) => void;
  readonly #lost = (): void => this.#answered(() => this.#noAnswer('connection lost'));
  #isOver = false;

  constructor(
    world: World,
    client: ClientOptions,
    server: ServerProcess,
    request: KvRequest,
    done: (outcome: OperationOutcome) => void,
  ) {
    this.#world = world;
    this.#client = client;
    this.#server = server;
    this.#request = request;
    this.#done = done;
    world.clock.after(client.patience, () => this.#end(this.#noAnswer('deadline exceeded')));
  }

  /** The request reached the server. */
  arrive(): void {
    const request = encodeRequest(this.#request);
    const method = methodOf(this.#request);
    const isServed = this.#server.serve(this.#lost, (service, now) => {
      const call = new VirtualCall(method, request, now + this.#client.patience, (status, response) => {
        this.#server.forgetCaller(this.#lost);
        const outcome = this.#outcome(status, response);
        this.#answered(() => outcome);
      });
      const handler = service.methods.get(method);
      if (handler === undefined) throw new Error(`There is no method ${method}.`);
      handler.handle(call);
    });
    if (!isServed) this.#answered(() => ({ kind: 'refused', code: 'connection refused' }));
  }

  #answered(outcome: () => OperationOutcome): void {
    this.#world.network.send(this.#server.id, this.#client.name, () => this.#end(outcome()));
  }

  #end(outcome: OperationOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#done(outcome);
  }

  /** A read without an answer had no effect; a write may have. */
  #noAnswer(code: string): OperationOutcome {
    return { kind: writes(this.#request) ? 'unknown' : 'refused', code };
  }

  #outcome(status: RpcStatus, response: Uint8Array | null): OperationOutcome {
    if (status.code === StatusCode.ok && response !== null) {
      return { kind: 'ok', response: this.#decode(response) };
    }
    const isOpen = status.outcome === CallOutcome.unknown || (status.outcome === undefined && isVague(status));
    if (isOpen) return this.#noAnswer(status.message);
    return { kind: 'refused', code: status.message };
  }

  #decode(response: Uint8Array): KvResponse {
    return decodeResponse(this.#request.kind, response);
  }
}

function writes(request: KvRequest): boolean {
  if (request.kind === 'range') return false;
  if (request.kind !== 'txn') return true;
  return [...request.txn.success, ...request.txn.failure].some(({ kind }) => kind !== 'range');
}

function isVague({ code }: RpcStatus): boolean {
  return code === StatusCode.unavailable || code === StatusCode.deadlineExceeded || code === StatusCode.unknown;
}
