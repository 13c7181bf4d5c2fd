/** Milliseconds without any answer that count as a pause: heartbeats come more often, and elections hardly take longer. */
const PAUSE = 500;

/** Milliseconds of pauses, in which no server was answered anything. */
export interface Pauses {
  /** Of these: no server that can reach another had a call under way. */
  readonly asleep: number;
  /** The rest: all that happened was that calls were waited for. */
  readonly waiting: number;
}

/** What goes over a network, counted as the classic suite counts it. */
export class CallCounts {
  /** Requests handed to the network, whatever became of them. */
  calls = 0;
  /** Of requests when they are sent, of answers when they arrive. */
  bytes = 0;
  /** Calls that ended without an answer. */
  unanswered = 0;
  readonly byMethod = new Map<string, number>();
  readonly #incoming = new Map<string, number>();
  readonly #all = new Stretch();
  /** Of servers that can reach another: who is cut off from all has nothing to wait for. */
  readonly #ofConnected = new Stretch();
  #lastAnswer = 0;
  /** What #ofConnected had come to then. */
  #waitedBefore = 0;
  #asleep = 0;
  #waiting = 0;

  /** Calls that reached a server since it was added under that name. */
  incoming(server: string): number {
    return this.#incoming.get(server) ?? 0;
  }

  sent(method: string, bytes: number, now: number, isCutOff: boolean): void {
    this.calls += 1;
    this.bytes += bytes;
    this.byMethod.set(method, (this.byMethod.get(method) ?? 0) + 1);
    this.#all.begin(now);
    if (!isCutOff) this.#ofConnected.begin(now);
  }

  arrived(server: string): void {
    this.#incoming.set(server, this.incoming(server) + 1);
  }

  answered(bytes: number, now: number): void {
    this.bytes += bytes;
    const { asleep, waiting } = this.pausesUntil(now);
    this.#asleep = asleep;
    this.#waiting = waiting;
    this.#lastAnswer = now;
    this.#waitedBefore = this.#ofConnected.until(now);
  }

  /** `isCutOff` as it was when the call was sent. */
  ended(now: number, isCutOff: boolean): void {
    this.#all.end(now);
    if (!isCutOff) this.#ofConnected.end(now);
  }

  /** Milliseconds until now in which at least one call was under way. */
  busyUntil(now: number): number {
    return this.#all.until(now);
  }

  pausesUntil(now: number): Pauses {
    const pause = now - this.#lastAnswer;
    if (pause <= PAUSE) return { asleep: this.#asleep, waiting: this.#waiting };
    const waited = this.#ofConnected.until(now) - this.#waitedBefore;
    return { asleep: this.#asleep + pause - waited, waiting: this.#waiting + waited };
  }

  forget(server: string): void {
    this.#incoming.delete(server);
  }
}

/** The time in which at least one of several things was under way. */
class Stretch {
  #underWay = 0;
  #since = 0;
  #sum = 0;

  begin(now: number): void {
    if (this.#underWay === 0) this.#since = now;
    this.#underWay += 1;
  }

  end(now: number): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#sum += now - this.#since;
  }

  until(now: number): number {
    return this.#sum + (this.#underWay === 0 ? 0 : now - this.#since);
  }
}
