import type { ReadStream, WriteStream } from 'node:tty';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** Holds the terminal: a second screen, no echo, keys one by one. Gives it back on every way out. */
export class Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #onData: (data: Buffer) => void;
  readonly #release = (): void => this.release();
  #held = false;

  constructor(input: ReadStream, output: WriteStream, onKey: (key: string) => void) {
    this.#input = input;
    this.#output = output;
    this.#onData = (data) => {
      for (const key of data.toString('utf8')) onKey(key);
    };
  }

  hold(): void {
    this.#held = true;
    // Whatever ends this process (an error, a signal's handler, a plain end) passes through 'exit'.
    process.on('exit', this.#release);
    this.#output.write(ENTER);
    this.#input.setRawMode(true);
    this.#input.on('data', this.#onData);
    this.#input.resume();
  }

  get columns(): number {
    return this.#output.columns;
  }

  get rows(): number {
    return this.#output.rows;
  }

  /** Paints over what is there, without a flicker: one write, no clearing first. */
  paint(lines: readonly string[]): void {
    if (!this.#held) return;
    const shown = lines.slice(0, this.rows);
    this.#output.write(`${HOME}${shown.map((line) => line + CLEAR_LINE).join('\r\n')}${CLEAR_BELOW}`);
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    process.off('exit', this.#release);
    this.#input.off('data', this.#onData);
    this.#input.setRawMode(false);
    this.#input.pause();
    this.#output.write(LEAVE);
  }
}
