import { EventEmitter } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import { describe, expect, test } from 'vitest';
import { Terminal } from '../src/dev/terminal.ts';

/** What a terminal's two ends were told. */
class FakeTerminal extends EventEmitter {
  raw = false;
  written = '';
  columns = 80;
  rows = 3;

  setRawMode(raw: boolean): this {
    this.raw = raw;
    return this;
  }

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  resume(): this {
    return this;
  }

  pause(): this {
    return this;
  }
}

function held(onKey: (key: string) => void = () => undefined): { fake: FakeTerminal; terminal: Terminal } {
  const fake = new FakeTerminal();
  const terminal = new Terminal(fake as unknown as ReadStream, fake as unknown as WriteStream, onKey);
  terminal.hold();
  return { fake, terminal };
}

describe('the terminal', () => {
  test('is held raw on its second screen, and given back as it was', () => {
    const { fake, terminal } = held();
    expect(fake.raw).toBe(true);
    expect(fake.written).toContain('\u001b[?1049h');
    terminal.release();
    expect(fake.raw).toBe(false);
    expect(fake.written.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    terminal.release();
    expect(fake.listenerCount('data')).toBe(0);
  });

  test('is given back on any exit', () => {
    const before = process.listenerCount('exit');
    const { fake, terminal } = held();
    const [release] = process.listeners('exit').slice(before);
    release?.(0);
    expect(fake.raw).toBe(false);
    terminal.release();
    expect(process.listenerCount('exit')).toBe(before);
  });

  test('hands over keys one by one', () => {
    const keys: string[] = [];
    const { fake, terminal } = held((key) => keys.push(key));
    fake.emit('data', Buffer.from('kr'));
    terminal.release();
    fake.emit('data', Buffer.from('q'));
    expect(keys).toEqual(['k', 'r']);
  });

  test('paints no more lines than it has, and nothing once it is released', () => {
    const { fake, terminal } = held();
    terminal.paint(['1', '2', '3', '4']);
    expect(fake.written).toContain('3');
    expect(fake.written).not.toContain('4\u001b[K');
    terminal.release();
    const { written } = fake;
    terminal.paint(['late']);
    expect(fake.written).toBe(written);
  });
});
