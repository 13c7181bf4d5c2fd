import { ProtobufError, type ResponseHeader, services, type StatusResponse } from '@quorate/kv/api';
import { type Endpoint } from './endpoint.ts';
import { frameOf } from './grpc.ts';
import { type Ring } from './ring.ts';
import { type Reply } from './transport.ts';

const { Status } = services.Maintenance;

/** How long to wait for a Status that nobody but us waits for. */
const STATUS_TIMEOUT_MS = 1_000;
/** While no leader is known, it is asked for no more often than this. */
const MIN_INTERVAL_MS = 50;
/** How long somebody who waits for the leader to be found waits at most: a server that does not answer may be the one. */
const SEARCH_TIMEOUT_MS = 1_000;

/**
 * Remembers who leads, so that calls go there without a detour. It is only a hint: a server that does not lead carries the
 * call to the one that does.
 *
 * Every response header tells for free which member answered and in which term. A term above the one that we know the leader
 * of means an election; then, and when the leader's connection breaks, one Status is asked for. When the leader is a member
 * that has not yet answered on any endpoint, the other endpoints are asked who they are. Member lists are not used: the URLs
 * in them need not be reachable from here, those that we were given are.
 */
export class LeaderTracker {
  private readonly ring: Ring;
  private leader = 0n;
  /** The term that `leader` leads, or in which there was none yet. */
  private term = -1;
  private asking = 0;
  private askedAt = -Infinity;
  /** Those who wait until that is over. */
  private readonly searching = new Set<() => void>();

  constructor(ring: Ring) {
    this.ring = ring;
  }

  /** A response came from this endpoint. */
  observe(endpoint: Endpoint, header: ResponseHeader | undefined): void {
    if (header === undefined) return;
    endpoint.memberId = header.memberId;
    if (this.leader === 0n) this.ring.prefer(endpoint);
    if (header.raftTerm > this.term || this.leader === 0n) this.ask(endpoint);
  }

  /**
   * A call to this endpoint failed, or its connection did, or it let a deadline pass: a leader that is cut off from the others
   * looks like that. The next call goes to another server, and whoever answers is asked anew.
   */
  suspect(endpoint: Endpoint): void {
    if (!this.ring.isPreferred(endpoint)) return;
    this.ring.preferNext();
    this.leader = 0n;
    this.askedAt = -Infinity;
  }

  /**
   * Resolves as soon as calls go to the leader, or everybody who was asked has said what they know; after a second at the latest, and when
   * `signal` is aborted.
   */
  search(signal?: AbortSignal): Promise<void> {
    if (this.isOver() || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        this.searching.delete(end);
        resolve();
      };
      const timer = setTimeout(end, SEARCH_TIMEOUT_MS);
      signal?.addEventListener('abort', end);
      this.searching.add(end);
    });
  }

  /** Nobody is being asked, or the leader is one of those that we know. */
  private isOver(): boolean {
    return this.asking === 0 || this.leaderEndpoint() !== undefined;
  }

  private ask(endpoint: Endpoint): void {
    const now = performance.now();
    if (this.asking > 0 || now - this.askedAt < MIN_INTERVAL_MS) return;
    this.askedAt = now;
    this.askStatus(endpoint, (status) => this.onStatus(endpoint, status));
  }

  private onStatus(endpoint: Endpoint, { header, leader, raftTerm }: StatusResponse): void {
    endpoint.memberId = header?.memberId ?? 0n;
    if (raftTerm < this.term) return;
    this.term = raftTerm;
    this.leader = leader;
    if (leader === 0n || this.preferLeader()) return;
    for (const other of this.ring.endpoints) {
      if (other.memberId === 0n) this.askStatus(other, (status) => this.onIdentified(other, status));
    }
  }

  private onIdentified(endpoint: Endpoint, { header }: StatusResponse): void {
    endpoint.memberId = header?.memberId ?? 0n;
    this.preferLeader();
  }

  private preferLeader(): boolean {
    const endpoint = this.leaderEndpoint();
    if (endpoint === undefined) return false;
    this.ring.prefer(endpoint);
    return true;
  }

  private leaderEndpoint(): Endpoint | undefined {
    if (this.leader === 0n) return undefined;
    return this.ring.endpoints.find(({ memberId }) => memberId === this.leader);
  }

  private askStatus(endpoint: Endpoint, done: (status: StatusResponse) => void): void {
    this.asking++;
    const answered = (status: StatusResponse | undefined): void => {
      this.asking--;
      if (status !== undefined) done(status);
      if (this.isOver()) for (const end of this.searching) end();
    };
    endpoint.use((connection) => {
      if (connection === undefined) {
        answered(undefined);
        return;
      }
      const question = {
        path: Status.path,
        frame: frameOf(Status, {}),
        timeoutMs: STATUS_TIMEOUT_MS,
        needsLeader: false,
      };
      const handle = connection.call(question, (reply) => {
        clearTimeout(timer);
        answered(decodedStatus(reply));
      });
      const timer = setTimeout(() => handle.cancel(), STATUS_TIMEOUT_MS);
      timer.unref();
    });
  }
}

/** Failures are passed over: this is a hint, and whoever makes a call sees them for himself. */
function decodedStatus(reply: Reply): StatusResponse | undefined {
  if (reply.kind !== 'message') return undefined;
  try {
    return Status.response.decode(reply.message);
  } catch (error) {
    if (error instanceof ProtobufError) return undefined;
    throw error;
  }
}
