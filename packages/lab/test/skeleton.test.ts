/** A fresh skeleton is judged like any other Raft: it fails the first test with a message that says why, and nothing breaks. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Outcome, SkeletonError, styles, suite, writeSkeleton } from '../src/index.ts';
// Processes run what is built.
import { findModule, runJobs } from '../dist/index.js';

/** Scenarios on a store take much longer, and have tests of their own (key-value.test.ts, stores.test.ts). */
const raftTests = suite.filter(({ makeService }) => makeService === undefined);

const folder = mkdtempSync(join(tmpdir(), 'quorate-skeleton-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(styles)('a skeleton in the style %s', (style) => {
  const home = join(folder, 'new', style);

  test('is written into a folder that is made for it', () => {
    expect(new Set(writeSkeleton(home, style))).toEqual(new Set(['README.md', 'package.json', 'raft.js']));
    expect(readFileSync(join(home, 'raft.js'), 'utf8')).toMatch(/Yours \(4A\)/);
  });

  test('is judged: no test breaks, and those that need a leader say that there is none', async () => {
    const outcomes: Outcome[] = [];
    await runJobs(
      raftTests.map(({ name }) => ({ test: name, seed: 1, isRealTime: false, isRace: false })),
      {
        subject: { path: findModule(home) },
        processes: 2,
        output: null,
        onOutcome: (outcome) => outcomes.push(outcome),
      },
    );
    const messages = new Map(outcomes.map(({ test: name, failure }) => [name, failure?.message ?? 'passed']));
    expect(messages.get('InitialElection')).toBe('expected one leader within five seconds, got none');
    expect(messages.get('BasicAgree')).toMatch(/was not agreed on by 3 servers within ten seconds/);
    for (const [name, message] of messages) {
      expect(message, name).toMatch(/expected one leader|not agreed on|term changed too often/);
    }
    expect(messages.size).toBe(raftTests.length);
  }, 120_000);
});

describe('nothing is written over', () => {
  test('in a folder that is not empty', () => {
    const taken = join(folder, 'taken');
    mkdirSync(taken);
    writeFileSync(join(taken, 'notes.txt'), 'mine');
    expect(() => writeSkeleton(taken, 'async')).toThrow(SkeletonError);
    expect(() => writeSkeleton(taken, 'async')).toThrow(/is not empty. Name a new folder/);
  });

  test('nor where a file stands', () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'mine');
    expect(() => writeSkeleton(file, 'handlers')).toThrow(/is a file. Name a new folder/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});
