import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLineSink, createLogger, DebugTopics, type LineSink } from '@quorate/server';
import { describe, expect, it } from 'vitest';

function memorySink(): LineSink & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, line: (text) => lines.push(text), flush: async () => {} };
}

const wallTime = (): number => 1_000_000_000_000;

describe('Log lines', () => {
  it('are text for eyes, one event a line', () => {
    const sink = memorySink();
    const logger = createLogger({ level: 'info', format: 'text', sink, wallTime });
    logger.log('warn', 'A peer was\nrefused', { peer: 's2', reason: 'wrong cluster', id: 12n, count: 3 });
    expect(sink.lines).toEqual([
      '2001-09-09T01:46:40.000Z warn  A peer was refused peer=s2 reason="wrong cluster" id=12 count=3',
    ]);
  });

  it('are JSON for machines, whatever the fields hold', () => {
    const sink = memorySink();
    const logger = createLogger({ level: 'debug', format: 'json', sink, wallTime });
    logger.log('error', 'The disk failed', { error: new Error('EIO'), id: 2n ** 63n });
    expect(sink.lines.map((line): unknown => JSON.parse(line))).toEqual([
      {
        ts: '2001-09-09T01:46:40.000Z',
        level: 'error',
        msg: 'The disk failed',
        error: 'EIO',
        id: '9223372036854775808',
      },
    ]);
  });

  it('below the level are not made', () => {
    const sink = memorySink();
    const logger = createLogger({ level: 'warn', format: 'text', sink, wallTime });
    logger.log('info', 'nothing');
    logger.log('debug', 'nothing');
    expect(sink.lines).toEqual([]);
  });
});

describe('Debug topics', () => {
  it('print topic, server, elapsed time and text, and can be switched while running', () => {
    const sink = memorySink();
    let now = 5_000_000;
    const topics = new DebugTopics('s1', 'text', sink, () => now);
    expect(topics.topics).toEqual([]);
    topics.set(['reads', 'votes']);
    expect(topics.topics).toEqual(['votes', 'reads']);
    expect([topics.on.votes, topics.on.heartbeats]).toEqual([true, false]);
    now += 1_234_567;
    topics.line('votes', 'granted to s2 in term 4');
    topics.set([]);
    expect(topics.on.votes).toBe(false);
    expect(sink.lines).toEqual(['votes s1 1.234567s granted to s2 in term 4']);
  });
});

describe('The sink of lines', () => {
  it('writes in order without waiting, and says when all has left', async () => {
    const path = join(tmpdir(), `quorate-log-${process.pid}`);
    const descriptor = openSync(path, 'w');
    try {
      const sink = createLineSink(descriptor);
      for (let index = 0; index < 100; index += 1) sink.line(`line ${index}`);
      expect(readFileSync(path, 'utf8')).toBe('');
      await new Promise((resolve) => setImmediate(resolve));
      for (let index = 100; index < 200; index += 1) sink.line(`line ${index}`);
      await sink.flush();
      const expected = Array.from({ length: 200 }, (_, index) => `line ${index}\n`).join('');
      expect(readFileSync(path, 'utf8')).toBe(expected);
    } finally {
      closeSync(descriptor);
      rmSync(path);
    }
  });

  it('drops and counts what does not fit its queue', async () => {
    const path = join(tmpdir(), `quorate-log-full-${process.pid}`);
    const descriptor = openSync(path, 'w');
    try {
      const sink = createLineSink(descriptor);
      const long = 'x'.repeat(1024 * 1024);
      for (let index = 0; index < 10; index += 1) sink.line(long);
      await sink.flush();
      const written = readFileSync(path, 'utf8').trimEnd().split('\n');
      expect(written.length).toBeLessThan(10);
      const dropped = 10 - (written.length - 1);
      expect(written.at(-1)).toBe(`${dropped} log lines were dropped: nobody took them in time`);
    } finally {
      closeSync(descriptor);
      rmSync(path);
    }
  });

  it('gives up on a reader that is gone', async () => {
    const path = join(tmpdir(), `quorate-log-readonly-${process.pid}`);
    closeSync(openSync(path, 'w'));
    const descriptor = openSync(path, 'r');
    try {
      const sink = createLineSink(descriptor);
      sink.line('into nowhere');
      await sink.flush();
      expect(readFileSync(path, 'utf8')).toBe('');
    } finally {
      closeSync(descriptor);
      rmSync(path);
    }
  });
});
