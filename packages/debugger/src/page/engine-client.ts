/** The worker's door as the page sees it: one promise a request, answered in order. */
import type { Answer, Ask, CommandName, FromWorker } from '../engine/protocol.ts';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (text: string) => void;
}

export class EngineClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    worker.addEventListener('error', (event) => this.#fail(event.message));
  }

  /** Rejects with what the engine says, in words for a person. */
  ask<Name extends CommandName>(
    name: Name,
    ask: Ask<Name>,
    onProgress: (text: string) => void = () => undefined,
  ): Promise<Answer<Name>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as Answer<Name>), reject, onProgress });
      this.#worker.postMessage({ id, name, ask });
    });
  }

  /** Whatever takes long ends with what it has. */
  cancel(): void {
    this.#worker.postMessage({ cancel: true });
  }

  #receive(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if ('progress' in message) return waiting.onProgress(message.progress);
    this.#waiting.delete(message.id);
    if ('error' in message) waiting.reject(new Error(message.error));
    else waiting.resolve(message.answer);
  }

  /** The worker itself broke: nobody must wait for ever. */
  #fail(reason: string): void {
    for (const { reject } of this.#waiting.values())
      reject(new Error(`The engine stopped: ${reason}. Load the page again.`));
    this.#waiting.clear();
  }
}
