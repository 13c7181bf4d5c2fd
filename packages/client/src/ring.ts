import { type Endpoint } from './endpoint.ts';
import { type Connection, type Failure } from './transport.ts';

export type Acquired =
  | { readonly endpoint: Endpoint; readonly connection: Connection }
  /** Every server that was worth trying has been tried. */
  | { readonly endpoint: undefined; readonly failure: Failure | undefined };

/** Which server a call goes to: the preferred one, then the others in their order, each once a round. */
export class Ring {
  readonly endpoints: readonly Endpoint[];
  /** Where calls begin: the leader when it is known, otherwise whoever answered last. */
  private preferred: Endpoint;

  /** At least one endpoint. */
  constructor(endpoints: readonly Endpoint[]) {
    this.endpoints = endpoints;
    this.preferred = endpoints[0] as Endpoint;
  }

  prefer(endpoint: Endpoint): void {
    this.preferred = endpoint;
  }

  /** Lets calls begin at the server after the preferred one. */
  preferNext(): void {
    const next = (this.endpoints.indexOf(this.preferred) + 1) % this.endpoints.length;
    this.preferred = this.endpoints[next] as Endpoint;
  }

  isPreferred(endpoint: Endpoint): boolean {
    return this.preferred === endpoint;
  }

  /**
   * Finds a connected server that is not among `tried`; when none is connected, connects to all that are not backing off and
   * takes the first that opens. What fails to open joins `tried`. Calls back perhaps at once.
   */
  acquire(tried: Set<Endpoint>, done: (acquired: Acquired) => void): void {
    const connection = tried.has(this.preferred) ? undefined : this.preferred.ready;
    if (connection === undefined) this.acquireOther(tried, done);
    else done({ endpoint: this.preferred, connection });
  }

  private acquireOther(tried: Set<Endpoint>, done: (acquired: Acquired) => void): void {
    const now = performance.now();
    const candidates = this.fromPreferred().filter((endpoint) => !tried.has(endpoint));
    for (const endpoint of candidates) {
      const connection = endpoint.ready;
      if (connection !== undefined) {
        done({ endpoint, connection });
        return;
      }
      // This call will not wait for it when another is connected, but the next may find it open.
      endpoint.warm();
    }
    const openable = candidates.filter((endpoint) => endpoint.backoff(now) === 0);
    if (openable.length === 0) done({ endpoint: undefined, failure: candidates[0]?.lastFailure });
    else firstToOpen(openable, tried, done);
  }

  private fromPreferred(): Endpoint[] {
    const start = this.endpoints.indexOf(this.preferred);
    return [...this.endpoints.slice(start), ...this.endpoints.slice(0, start)];
  }
}

function firstToOpen(openable: readonly Endpoint[], tried: Set<Endpoint>, done: (acquired: Acquired) => void): void {
  let pending = openable.length;
  let settled = false;
  for (const endpoint of openable) {
    endpoint.use((connection, failure) => {
      pending--;
      if (settled) return;
      if (connection === undefined) tried.add(endpoint);
      settled = connection !== undefined || pending === 0;
      if (!settled) return;
      done(connection === undefined ? { endpoint: undefined, failure } : { endpoint, connection });
    });
  }
}
