import type { MessageType } from '../../src/api/index.ts';
import {
  type BarrierOutcome,
  type Consensus,
  type KvEnvironment,
  KvService,
  type KvServiceSettings,
  type Leadership,
  type ProposeOutcome,
  type RpcCall,
  type RpcStatus,
} from '../../src/index.ts';
import { continueApply, KvStateMachine } from '../../src/state-machine.ts';
import { origin } from './machine-driver.ts';

/** Time that moves when told, and turns of a loop that run when told. */
export class ManualEnvironment implements KvEnvironment {
  time = 1_000_000;
  turns = 0;
  #timers = new Set<{ readonly due: number; readonly callback: () => void }>();
  #yielded: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  random(): number {
    return 4;
  }

  setTimer(delay: number, callback: () => void): () => void {
    const timer = { due: this.time + delay, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  yield(callback: () => void): void {
    this.#yielded.push(callback);
  }

  get idle(): boolean {
    return this.#yielded.length === 0;
  }

  /** One turn of the loop. */
  turn(): void {
    this.turns++;
    const yielded = this.#yielded;
    this.#yielded = [];
    for (const callback of yielded) callback();
  }

  advance(micros: number): void {
    const end = this.time + micros;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.time = Math.max(this.time, due.due);
      due.callback();
    }
    this.time = end;
  }
}

/** A log of one server, whose every answer the test decides. */
export class ScriptedConsensus implements Consensus {
  readonly machine: KvStateMachine;
  readonly proposals: { readonly command: Uint8Array; readonly done: (outcome: ProposeOutcome) => void }[] = [];
  readonly barriers: ((outcome: BarrierOutcome) => void)[] = [];
  index = 0;
  committedAhead = 0;
  leader = 1n;
  #applied = new Set<() => void>();
  #leadership = new Set<(leadership: Leadership) => void>();

  constructor(machine: KvStateMachine) {
    this.machine = machine;
  }

  propose(command: Uint8Array, done: (outcome: ProposeOutcome) => void): void {
    this.proposals.push({ command, done });
  }

  readBarrier(done: (outcome: BarrierOutcome) => void): void {
    this.barriers.push(done);
  }

  leadership(): Leadership {
    return { isLeader: this.leader === origin.member, leader: this.leader, term: 3 };
  }

  progress(): { appliedIndex: number; committedIndex: number; term: number } {
    return { appliedIndex: this.index, committedIndex: this.index + this.committedAhead, term: 3 };
  }

  onApplied(listener: () => void): () => void {
    this.#applied.add(listener);
    return () => this.#applied.delete(listener);
  }

  onLeadership(listener: (leadership: Leadership) => void): () => void {
    this.#leadership.add(listener);
    return () => this.#leadership.delete(listener);
  }

  setLeader(leader: bigint): void {
    this.leader = leader;
    for (const listener of this.#leadership) listener(this.leadership());
  }

  /** Commits and applies everything proposed. */
  commit(): void {
    for (const { command, done } of this.proposals.splice(0)) {
      this.index++;
      let result = this.machine.apply({ index: this.index, data: command });
      while (result === continueApply) result = this.machine.apply({ index: this.index, data: command });
      done({ kind: 'applied', index: this.index, result });
    }
    for (const listener of this.#applied) listener();
  }

  confirmReads(outcome: BarrierOutcome = { kind: 'ready', index: this.index }): void {
    for (const done of this.barriers.splice(0)) done(outcome);
  }
}

export class TestCall implements RpcCall {
  readonly method: string;
  readonly request: Uint8Array;
  readonly metadata: Map<string, string>;
  readonly deadline: number;
  cancelled = false;
  readonly backedUp = false;
  response: Uint8Array | null = null;
  status: RpcStatus | null = null;

  constructor(method: string, request: Uint8Array, deadline: number, metadata: Readonly<Record<string, string>> = {}) {
    this.metadata = new Map(Object.entries(metadata));
    this.method = method;
    this.request = request;
    this.deadline = deadline;
  }

  onCancel(): void {}
  onMessage(): void {}
  onDrain(): void {}

  send(message: Uint8Array): void {
    this.response = message;
  }

  end(status: RpcStatus): void {
    if (this.status !== null) throw new Error('a call was ended twice');
    this.status = status;
  }

  reply(message: Uint8Array): void {
    this.send(message);
    this.end({ code: 0, message: '' });
  }
}

export class TestService {
  readonly environment = new ManualEnvironment();
  readonly machine: KvStateMachine;
  readonly consensus: ScriptedConsensus;
  readonly service: KvService;

  constructor(settings: Partial<KvServiceSettings> = {}) {
    this.machine = new KvStateMachine({ origin });
    this.consensus = new ScriptedConsensus(this.machine);
    this.service = new KvService(this.consensus, this.environment, this.machine, {
      clusterId: 0xaaaa_bbbb_cccc_ddddn,
      origin,
      sequenceFloor: 1_000_000,
      ...settings,
    });
  }

  /** Begins a call; `deadline` in microseconds from now. */
  begin<T>(name: string, type: MessageType<T>, request: Partial<T>, deadline = Number.POSITIVE_INFINITY): TestCall {
    return this.beginRaw(name, type.encode(type.create(request)), deadline);
  }

  beginRaw(
    name: string,
    request: Uint8Array,
    deadline = Number.POSITIVE_INFINITY,
    metadata: Readonly<Record<string, string>> = {},
  ): TestCall {
    const method = `/etcdserverpb.KV/${name}`;
    const call = new TestCall(method, request, this.environment.time + deadline, metadata);
    this.service.methods.get(method)?.handle(call);
    return call;
  }

  /** Runs the loop, committing and confirming whatever is asked for, until nothing moves. */
  settle(): void {
    do {
      this.consensus.commit();
      this.environment.turn();
      this.consensus.confirmReads();
    } while (!this.environment.idle || this.consensus.proposals.length > 0);
  }

  /** A whole call against a healthy cluster. */
  call<Req, Res>(name: string, type: MessageType<Req>, request: Partial<Req>, response: MessageType<Res>): Res {
    const call = this.begin(name, type, request);
    this.settle();
    if (call.response === null) throw new Error(`${name}: ${call.status?.code} ${call.status?.message}`);
    return response.decode(call.response);
  }

  failure<Req>(name: string, type: MessageType<Req>, request: Partial<Req>): RpcStatus {
    const call = this.begin(name, type, request);
    this.settle();
    if (call.status === null || call.response !== null) throw new Error(`${name} did not fail`);
    return call.status;
  }
}

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
