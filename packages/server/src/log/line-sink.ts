/**
 * Lines to a file descriptor without ever waiting for it: who reads the log may stall, the server may not. What does not
 * fit the queue is dropped and counted.
 */
import { write } from 'node:fs';

/** Bytes of lines that may wait for the descriptor; more are dropped. */
export const maxQueuedLogBytes = 4 * 1024 * 1024;

/** How long the last words of a process may take to leave. Milliseconds. */
const longestFlushMs = 500;

export interface LineSink {
  /** One line, without its newline. */
  line(text: string): void;
  /** Resolves when what waits has left, or has had half a second to. */
  flush(): Promise<void>;
}

export function createLineSink(descriptor: number): LineSink {
  return new DescriptorSink(descriptor);
}

class DescriptorSink implements LineSink {
  readonly #descriptor: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #writing = false;
  #onEmpty: (() => void)[] = [];

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  line(text: string): void {
    if (this.#waitingBytes > maxQueuedLogBytes) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += text.length + 1;
    if (this.#writing) return;
    this.#writing = true;
    setImmediate(() => this.#writeWaiting());
  }

  async flush(): Promise<void> {
    if (!this.#writing) return;
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(resolve, longestFlushMs);
      this.#onEmpty.push(() => {
        clearTimeout(giveUp);
        resolve();
      });
    });
  }

  #writeWaiting(): void {
    if (this.#dropped > 0) this.#waiting.push(`${this.#dropped} log lines were dropped: nobody took them in time`);
    if (this.#waiting.length === 0) {
      this.#writing = false;
      for (const resolve of this.#onEmpty.splice(0)) resolve();
      return;
    }
    const bytes = Buffer.from(`${this.#waiting.join('\n')}\n`);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#dropped = 0;
    this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    write(this.#descriptor, bytes, (error, written) => {
      if (isCode(error, 'EAGAIN')) {
        setTimeout(() => this.#write(bytes), 10);
      } else if (error === null && written < bytes.length) {
        this.#write(bytes.subarray(written));
      } else {
        // Also after an error: who read the log is gone, and there is nobody left to tell.
        this.#writeWaiting();
      }
    });
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
