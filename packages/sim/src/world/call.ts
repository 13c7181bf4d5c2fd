import { type RpcCall, type RpcStatus, StatusCode } from '@quorate/kv';

const noMetadata: ReadonlyMap<string, string> = new Map();

/** One unary call, as the service sees it. */
export class VirtualCall implements RpcCall {
  readonly method: string;
  readonly request: Uint8Array;
  readonly metadata = noMetadata;
  readonly deadline: number;
  readonly cancelled = false;
  readonly backedUp = false;
  readonly #answer: (status: RpcStatus, response: Uint8Array | null) => void;
  #response: Uint8Array | null = null;
  #isOver = false;

  constructor(
    method: string,
    request: Uint8Array,
    deadline: number,
    answer: (status: RpcStatus, response: Uint8Array | null) => void,
  ) {
    this.method = method;
    this.request = request;
    this.deadline = deadline;
    this.#answer = answer;
  }

  onCancel(): void {
    // A client that gives up is not noticed here: its server has no connection to see it by.
  }

  onMessage(): void {
    throw new Error('Unary calls have one message.');
  }

  onDrain(listener: () => void): void {
    listener();
  }

  send(message: Uint8Array): void {
    this.#response = message;
  }

  end(status: RpcStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answer(status, this.#response);
  }

  reply(message: Uint8Array): void {
    this.send(message);
    this.end({ code: StatusCode.ok, message: '' });
  }
}
