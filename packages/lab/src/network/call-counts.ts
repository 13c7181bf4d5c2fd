/** What goes over a network, counted as the classic suite counts it. */
export class CallCounts {
  /** Requests handed to the network, whatever became of them. */
  calls = 0;
  /** Of requests when they are sent, of answers when they arrive. */
  bytes = 0;
  readonly byMethod = new Map<string, number>();
  readonly #incoming = new Map<string, number>();
  #underWay = 0;
  #busySince = 0;
  #busy = 0;

  /** Calls that reached a server since it was added under that name. */
  incoming(server: string): number {
    return this.#incoming.get(server) ?? 0;
  }

  sent(method: string, bytes: number, now: number): void {
    this.calls += 1;
    this.bytes += bytes;
    this.byMethod.set(method, (this.byMethod.get(method) ?? 0) + 1);
    if (this.#underWay === 0) this.#busySince = now;
    this.#underWay += 1;
  }

  arrived(server: string): void {
    this.#incoming.set(server, this.incoming(server) + 1);
  }

  answered(bytes: number): void {
    this.bytes += bytes;
  }

  ended(now: number): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#busy += now - this.#busySince;
  }

  /** Milliseconds until now in which at least one call was under way. */
  busyUntil(now: number): number {
    return this.#busy + (this.#underWay === 0 ? 0 : now - this.#busySince);
  }

  forget(server: string): void {
    this.#incoming.delete(server);
  }
}
