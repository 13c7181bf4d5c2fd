import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type DevView, etcdctlLine, screenLines, summaryLine } from '../src/dev/view.ts';

const view: DevView = {
  upSeconds: 65,
  servers: [
    { name: 's1', address: '127.0.0.1:2379', role: 'leader', term: 3, commitIndex: 12345, lag: 0, pid: 100, note: '' },
    {
      name: 's2',
      address: '127.0.0.1:2389',
      role: 'down',
      term: null,
      commitIndex: null,
      lag: null,
      pid: null,
      note: 'r restarts it',
    },
  ],
  acknowledged: 8231,
  lost: 0,
  refused: 1,
  unknown: 2,
  checked: 900,
  currentPause: null,
  lastPause: { ms: 312.4, secondsAgo: 14, after: 'kill -9 of s2' },
  events: ['12:00:00 one', '12:00:01 two'],
  dataDirectory: '/data',
  endpoints: ['127.0.0.1:2379', '127.0.0.1:2389'],
};

const plain = (lines: readonly string[]): string[] => lines.map(stripVTControlCharacters);

describe('the screen of quorate dev', () => {
  test('shows every server, what was acknowledged and lost, the last pause and the line to paste', () => {
    const text = plain(screenLines(view, 120, 40)).join('\n');
    expect(text).toMatch(/s1 +leader +3 +12,345 +0 +100 +127\.0\.0\.1:2379/);
    expect(text).toMatch(/s2 +down +- +- +- +- +127\.0\.0\.1:2389 +r restarts it/);
    expect(text).toContain(
      'writes acknowledged 8,231   writes lost 0   last pause 312 ms (after kill -9 of s2, 0:14 ago)',
    );
    expect(text).toContain('etcdctl --endpoints=127.0.0.1:2379,127.0.0.1:2389 put hello world');
    expect(text).toContain('q quit');
  });

  test('a pause that lasts is shown while it lasts', () => {
    expect(plain(screenLines({ ...view, currentPause: 800 }, 120, 40)).join('\n')).toContain(
      'pause 800 ms and counting',
    );
  });

  test('a pause too short to be one is not denied', () => {
    expect(plain(screenLines({ ...view, lastPause: null }, 120, 40)).join('\n')).toContain(
      'last pause none of 50 ms or more',
    );
  });

  test('no line is wider than the terminal, and the keys stay in sight on a low one', () => {
    const lines = plain(screenLines(view, 60, 13));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(lines.length).toBeLessThanOrEqual(13);
    expect(lines.at(-1)).toContain('q quit');
  });

  test('the line to paste names as many servers as fit, and at least one', () => {
    expect(etcdctlLine(view.endpoints, 60)).toBe('etcdctl --endpoints=127.0.0.1:2379 put hello world');
    expect(etcdctlLine(view.endpoints, 10)).toBe('etcdctl --endpoints=127.0.0.1:2379 put hello world');
  });

  test('without a terminal everything is in one line', () => {
    expect(summaryLine(view)).toBe(
      '1:05 acknowledged=8231 lost=0 unknown=2 last-pause-ms=312 s1=leader/3/12345/0/100 s2=down/-/-/-/-',
    );
  });
});
