import { type ClientHttp2Session } from 'node:http2';
import { type Settings } from './options.ts';

/** Looks at the connection so many times in `keepaliveAfter`. */
const LOOKS = 4;
/** etcd's servers end connections that ping too often; with every answered ping the next one waits twice as long. */
const MAX_QUIET_FACTOR = 8;

/**
 * Notices a server that died without a word: while calls wait and nothing arrives, it pings, and gives the connection up
 * when the ping is not answered. Costs a call nothing: what has arrived is read off the socket's byte counter.
 */
export class Keepalive {
  private readonly session: ClientHttp2Session;
  private readonly settings: Settings;
  private readonly onDead: (cause: Error) => void;
  private timer: NodeJS.Timeout | undefined;
  private bytesSeen = 0;
  private quietMs = 0;
  private quietFactor = 1;
  private pinging = false;

  constructor(session: ClientHttp2Session, settings: Settings, onDead: (cause: Error) => void) {
    this.session = session;
    this.settings = settings;
    this.onDead = onDead;
  }

  /** Calls wait for answers. */
  watch(): void {
    if (this.timer !== undefined) return;
    const interval = this.settings.keepaliveAfter / LOOKS;
    this.quietMs = 0;
    this.quietFactor = 1;
    this.timer = setInterval(() => this.look(interval), interval);
    this.timer.unref();
  }

  /** No call waits any more. */
  rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(interval: number): void {
    if (this.session.destroyed) return;
    const bytes = this.session.socket.bytesRead;
    if (bytes !== this.bytesSeen) {
      this.bytesSeen = bytes;
      this.quietMs = 0;
      this.quietFactor = 1;
      return;
    }
    this.quietMs += interval;
    if (this.quietMs >= this.settings.keepaliveAfter * this.quietFactor) this.ping();
  }

  private ping(): void {
    if (this.pinging) return;
    this.pinging = true;
    const { keepaliveTimeout } = this.settings;
    const patience = setTimeout(() => {
      this.onDead(new Error(`no answer to a ping within ${keepaliveTimeout} ms`));
    }, keepaliveTimeout);
    patience.unref();
    const sent = this.session.ping((error) => {
      clearTimeout(patience);
      this.pinging = false;
      if (error === null) this.answered();
    });
    if (!sent) {
      clearTimeout(patience);
      this.pinging = false;
    }
  }

  /** The server lives; the answer to the ping itself does not count as news. */
  private answered(): void {
    this.bytesSeen = this.session.socket.bytesRead;
    this.quietMs = 0;
    this.quietFactor = Math.min(this.quietFactor * 2, MAX_QUIET_FACTOR);
  }
}
