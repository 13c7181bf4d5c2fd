/** Typed events without a base class: `on` returns the way to stop listening. */
export class Emitter<Events extends object> {
  /** A list is never changed, only replaced, so that listeners may come and go while it is called through. */
  readonly #listeners = new Map<keyof Events, readonly ((payload: never) => void)[]>();

  on<Name extends keyof Events>(name: Name, listener: (payload: Events[Name]) => void): () => void {
    // A wrapper of its own for each call, so that listening twice means being called twice.
    const entry = (payload: Events[Name]): void => listener(payload);
    this.#listeners.set(name, [...this.#listenersOf(name), entry]);
    return () => {
      this.#listeners.set(
        name,
        this.#listenersOf(name).filter((it) => it !== entry),
      );
    };
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    for (const listener of this.#listenersOf(name)) (listener as (payload: Events[Name]) => void)(payload);
  }

  #listenersOf(name: keyof Events): readonly ((payload: never) => void)[] {
    return this.#listeners.get(name) ?? [];
  }
}
