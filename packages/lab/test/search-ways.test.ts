/** The way to what a search found is written down for the debugger: the same steps as in the sentences, and whole. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeTrace, encodeTrace, readSeenRun, type SeenRun, seenTrace } from '@quorate/sim';
import { afterAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../src/index.ts';
import { mistaken } from '../src/teaching/mistake.ts';
import { mistakes } from '../src/teaching/mistakes.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-ways-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const right = readFileSync(fileURLToPath(new URL('../implementations/handlers.mjs', import.meta.url)), 'utf8');

function planted(name: string): string {
  const mistake = mistakes.find((each) => each.name === name);
  if (mistake === undefined) throw new Error(`There is no mistake ${name}.`);
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, mistaken(right, mistake));
  return path;
}

async function searched(name: string, search: string, isRerun: boolean): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  await runJobs([{ test: search, seed: 1, isRealTime: false, isRace: false, isRerun }], {
    subject: { path: planted(name) },
    processes: 1,
    output: null,
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  const [outcome] = outcomes;
  if (outcome?.failure === null || outcome === undefined) throw new Error(`${search} passes ${name}.`);
  return outcome;
}

/** As it is behind a file. */
function reread(run: SeenRun | null | undefined): SeenRun {
  if (run === null || run === undefined) throw new Error('No way was written down.');
  const { header, records } = seenTrace(run, '0', 'a test');
  const decoded = decodeTrace([...encodeTrace(header, records)]);
  return readSeenRun(decoded.header, decoded.records);
}

/** Where each call is: on its way, answered, or over. Throws at what cannot be. */
class Calls {
  readonly #at = new Map<number, 'called' | 'arrived' | 'answered'>();
  readonly #between = new Map<number, readonly [string, string]>();

  follow({ events }: SeenRun): void {
    for (const { server, event } of events) {
      switch (event.kind) {
        case 'call':
          this.#at.set(event.call, 'called');
          this.#between.set(event.call, [server ?? '', event.to]);
          break;
        case 'called':
          this.#move(event.call, ['called'], 'arrived', server, 1);
          break;
        case 'answer':
          this.#move(event.call, ['arrived'], 'answered', server, 1);
          break;
        case 'answered':
          this.#move(event.call, ['answered'], null, server, 0);
          break;
        case 'unanswered':
          this.#move(event.call, ['called', 'answered'], null, server, 0);
          break;
        case 'lost':
          for (const call of event.calls) this.#move(call, ['called', 'answered'], null, null, 0);
          break;
        default:
          break;
      }
    }
  }

  #move(
    call: number,
    from: readonly string[],
    to: 'arrived' | 'answered' | null,
    server: string | null,
    end: 0 | 1,
  ): void {
    const at = this.#at.get(call) ?? 'nowhere';
    const where = this.#between.get(call)?.[end];
    if (!from.includes(at)) throw new Error(`Call ${call} is ${at} and not ${from.join(' or ')}.`);
    if (server !== null && where !== server) throw new Error(`Call ${call} is of ${where} and not of ${server}.`);
    if (to === null) this.#at.delete(call);
    else this.#at.set(call, to);
  }
}

/** What each server says of itself at the end, as the sentences have it. */
function statesAtEnd({ servers, events }: SeenRun): string[] {
  return servers.map((name, id) => {
    let [isUp, term, leads] = [false, 0, false];
    for (const { server, event } of events) {
      if (server !== name) continue;
      if (event.kind === 'start') isUp = true;
      if (event.kind === 'crash') [isUp, leads] = [false, false];
      if (event.kind === 'state') [term, leads] = [event.term, event.isLeader];
    }
    return isUp ? `server ${id} is in term ${term}${leads ? ', leads' : ''}` : `server ${id} is down`;
  });
}

const handlers: readonly (readonly [name: string, search: string])[] = [
  ['votes-twice', 'SearchElection'],
  ['vote-unsaved', 'SearchVoteCrash'],
  ['old-term-commit', 'SearchFigure8'],
  ['always-cuts', 'SearchLateAppend'],
  ['old-snapshot-taken', 'SearchLateSnapshot'],
  ['begins-before-its-snapshot', 'SearchSnapshotCrash'],
  ['never-goes-back', 'SearchLoseLeader'],
];
const cases = [
  ...handlers.map(([name, search]) => [name, search, false] as const),
  ['votes-twice', 'SearchElection', true] as const,
  ['vote-unsaved', 'SearchVoteCrash', true] as const,
  ['late-vote-counted', 'SearchLateVote', true] as const,
  ['never-goes-back', 'SearchLoseLeader', true] as const,
];

describe('the way that a search found', () => {
  test.each(cases)(
    '%s fails %s (by rerun: %s): each step, and what became of each call',
    { timeout: 60_000 },
    async (name, search, isRerun) => {
      const { failure, recording } = await searched(name, search, isRerun);
      const run = reread(recording);
      expect(run).toEqual(recording);
      expect(run.failure).toBe(failure?.message);
      expect(run.finding?.rule).not.toBe('');
      const told = (failure?.way ?? []).filter((line) => /^ *\d+ {2}/.test(line));
      const stages = run.events.filter(({ event }) => event.kind === 'step' && event.text.startsWith('stage: '));
      const steps = new Set(run.events.map(({ at }) => at).filter((at) => at > 0));
      expect(steps.size - stages.length).toBe(told.length);
      new Calls().follow(run);
      const atEnd = (failure?.way ?? []).filter((line) => /^server \d+ is /.test(line));
      const states = statesAtEnd(run);
      expect(atEnd.length).toBe(states.length);
      for (const [server, line] of atEnd.entries()) expect(line.startsWith(states[server] ?? '?'), line).toBe(true);
    },
  );
});
