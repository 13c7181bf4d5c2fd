import type { RaftState } from '@quorate/raft';
import {
  blindWatcher,
  encodeTrace,
  endingOf,
  planTrace,
  runPlan,
  runSeed,
  standardWatchers,
  type WorldWatcher,
} from '@quorate/sim';
import { describe, expect, it } from 'vitest';
import { decode } from '../src/engine/core-trace.ts';
import { recordPlan } from '../src/engine/from-plan.ts';
import { Playback } from '../src/engine/playback.ts';
import { runUntil } from '../src/engine/run-until.ts';
import { host } from './support/host.ts';

const seed = 11;
const { options, actions, ...result } = runSeed(seed, { servers: 3, faultSeconds: 30 }, standardWatchers);

describe('a run of whole nodes, looked at', () => {
  const { header, records } = planTrace(
    { plan: { seed, options, actions }, ending: endingOf({ options, actions, ...result }) },
    'test',
    'a test',
  );
  const playback = new Playback(recordPlan(decode([...encodeTrace(header, records)].join('\n')), 'seed.json'));
  const length = playback.records().length;

  it('leads every core to where it was when the run ended', () => {
    const states = new Map<string, Readonly<RaftState>>();
    const watcher: WorldWatcher = {
      ...blindWatcher,
      onStart: (server, { raft }) => void states.set(server, raft.state),
      onCrash: (server) => void states.delete(server),
      onFatal: (server) => void states.delete(server),
    };
    runPlan({ seed, options, actions }, () => [watcher]);
    playback.seek({ branch: 0, step: length });
    expect(states.size).toBeGreaterThan(2);
    for (const [server, { term, vote, role, commitIndex, log }] of states) {
      const { core } = JSON.parse(playback.raw(server)) as { readonly core: RaftState };
      expect({ ...core, log: core.log.lastIndex }).toMatchObject({ term, vote, role, commitIndex, log: log.lastIndex });
    }
  });

  it('shows the same moment whichever way one comes to it', () => {
    playback.seek({ branch: 0, step: 0 });
    playback.step(Math.floor(length / 3));
    const forward = shown(playback);
    playback.step(Math.floor(length / 3));
    playback.step(-Math.floor(length / 3));
    expect(shown(playback)).toEqual(forward);
  });

  it('finds where nearly every message came from', () => {
    const arrived = playback.records().filter(({ message }) => message !== null);
    const known = arrived.filter(({ message }) => message !== null && message.id > 0);
    expect(arrived.length).toBeGreaterThan(500);
    expect(known.length / arrived.length).toBeGreaterThan(0.99);
  });

  it('goes on until something is so', async () => {
    playback.seek({ branch: 0, step: 0 });
    const { isReached, text } = await runUntil(playback, { kind: 'commit', atLeast: 5 }, host);
    expect(text).toMatch(/^After \d+ steps: s\d has committed up to \d+\.$/);
    expect(isReached).toBe(true);
    expect(playback.servers.some(({ raft }) => (raft?.commitIndex ?? 0) >= 5)).toBe(true);
  });

  it('cannot go another way', () => {
    expect(() => playback.act()).toThrow('This is a recording');
  });
});

function shown(playback: Playback): unknown {
  const { position, now, servers, messages, happened } = playback.frame();
  return { position, now, servers, messages, happened };
}
