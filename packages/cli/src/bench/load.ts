import {
  type Histogram,
  type MessageTemplate,
  newHistogram,
  putTemplate,
  rangeTemplate,
  RawGrpcConnection,
  record,
} from '@quorate/evaluation/load';

/** A closed loop: every client sends its next request as soon as the last was answered. */
export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  readonly work: 'put' | 'range';
  readonly clients: number;
  /** TCP connections, over which the clients are spread evenly. */
  readonly connections: number;
  /** Measured time; the warm-up before it counts for nothing. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly valueBytes: number;
  /** Keys are drawn from this many. */
  readonly keys: number;
}

export interface LoadResult {
  readonly operations: number;
  readonly seconds: number;
  readonly latencies: Histogram;
  /** gRPC status and message of every answer that was not OK, with its count (warm-up included). */
  readonly failures: Readonly<Record<string, number>>;
  /** What the generator itself cost, in CPU microseconds an operation. */
  readonly generatorMicros: number;
}

const METHODS = { put: '/etcdserverpb.KV/Put', range: '/etcdserverpb.KV/Range' } as const;

/** Coprime to any number of keys in use, so that successive numbers wander over all keys. */
const STRIDE = 7919;

/** Runs the plan in this process. Rejects when a connection breaks. */
export function runLoad(plan: LoadPlan): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const template = plan.work === 'put' ? putTemplate(plan.valueBytes) : rangeTemplate();
    const run = new Run(plan, template, (error, result) => {
      if (result === null) reject(error ?? new Error('The load ended without a result.'));
      else resolve(result);
    });
    run.start();
  });
}

class Run {
  readonly #plan: LoadPlan;
  readonly #template: MessageTemplate;
  readonly #done: (error: Error | null, result: LoadResult | null) => void;
  readonly #connections: RawGrpcConnection[] = [];
  readonly #latencies = newHistogram();
  readonly #failures: Record<string, number> = {};
  #state: 'warmingUp' | 'measuring' | 'stopped' = 'warmingUp';
  #operations = 0;
  #sent = 0;
  #began = 0;
  #cpuBegan = 0;

  constructor(
    plan: LoadPlan,
    template: MessageTemplate,
    done: (error: Error | null, result: LoadResult | null) => void,
  ) {
    this.#plan = plan;
    this.#template = template;
    this.#done = done;
  }

  start(): void {
    const { host, port, work, connections, clients, warmUpSeconds } = this.#plan;
    const onFailure = (error: Error): void => this.#stop(error);
    for (let n = 0; n < connections; n++) {
      this.#connections.push(new RawGrpcConnection(host, port, METHODS[work], { keepBodies: false, onFailure }));
    }
    for (let client = 0; client < clients; client++) this.#next(client % connections);
    setTimeout(() => this.#measure(), warmUpSeconds * 1000);
  }

  #measure(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'measuring';
    this.#began = performance.now();
    this.#cpuBegan = cpuMicros();
    setTimeout(() => this.#stop(null), this.#plan.seconds * 1000);
  }

  #next(connection: number): void {
    if (this.#state === 'stopped') return;
    this.#template.setKey((this.#sent++ * STRIDE) % this.#plan.keys);
    const sentAt = performance.now();
    this.#connections[connection]?.call(this.#template.bytes, (answer) => {
      if (answer.grpcStatus !== '0') this.#countFailure(`${answer.grpcStatus} ${answer.grpcMessage}`.trim());
      else if (this.#state === 'measuring') {
        this.#operations++;
        record(this.#latencies, (performance.now() - sentAt) * 1000);
      }
      this.#next(connection);
    });
  }

  #countFailure(status: string): void {
    this.#failures[status] = (this.#failures[status] ?? 0) + 1;
  }

  #stop(error: Error | null): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    const seconds = (performance.now() - this.#began) / 1000;
    const generatorMicros = (cpuMicros() - this.#cpuBegan) / Math.max(1, this.#operations);
    for (const connection of this.#connections) connection.close();
    if (error !== null) return this.#done(error, null);
    this.#done(null, {
      operations: this.#operations,
      seconds,
      latencies: this.#latencies,
      failures: this.#failures,
      generatorMicros,
    });
  }
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
