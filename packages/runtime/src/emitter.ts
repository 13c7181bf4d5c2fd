/** Typed events without a base class: `on` returns the way to stop listening. */
export class Emitter<Events extends object> {
  /** A list is never changed, only replaced, so that listeners may come and go while it is called through. */
  readonly #onThrow: (error: unknown) => void;
  readonly #listeners = new Map<keyof Events, readonly ((payload: never) => void)[]>();

  /** `onThrow` takes what a listener throws: the emitter's owner is in the middle of something and must not be torn out of it. */
  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

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
    for (const listener of this.#listenersOf(name)) {
      try {
        (listener as (payload: Events[Name]) => void)(payload);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }

  #listenersOf(name: keyof Events): readonly ((payload: never) => void)[] {
    return this.#listeners.get(name) ?? [];
  }
}
