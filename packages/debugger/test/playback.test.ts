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
import { CoreTape } from '../src/engine/core-tape.ts';
import { decode } from '../src/engine/core-trace.ts';
import { recordPlan } from '../src/engine/from-plan.ts';
import { Playback } from '../src/engine/playback.ts';
import type { AnyAction } from '../src/engine/protocol.ts';
import { runUntil } from '../src/engine/run-until.ts';
import type { StepRecord } from '../src/engine/step-record.ts';
import { host } from './support/host.ts';

const seed = 53;
const { options, actions, ...result } = runSeed(seed, { servers: 3, faultSeconds: 10 }, standardWatchers);

const plan = { seed, options, actions };

function opened(): Playback {
  const { header, records } = planTrace({ plan, ending: endingOf({ ...plan, ...result }) }, 'test', 'a test');
  const recording = recordPlan(decode([...encodeTrace(header, records)].join('\n')), 'seed.json');
  return new Playback(new CoreTape(recording), (other) => new CoreTape(other));
}

describe('a run of whole nodes, looked at', () => {
  const playback = opened();
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

  it('tells what the adversary did, and which links are cut', () => {
    const cut = playback.records().find(({ kind }) => kind === 'cut');
    playback.seek({ branch: 0, step: cut?.step ?? 0 });
    expect(cut?.title).toMatch(/^the link s\d→s\d is cut/);
    expect(playback.frame().cuts.length).toBeGreaterThan(0);
    playback.seek({ branch: 0, step: length });
    expect(playback.frame().cuts).toEqual([]);
  });

  it('shows logs whole, also where the core keeps only the terms in memory', () => {
    playback.seek({ branch: 0, step: length });
    const { servers } = playback.frame();
    const leader = servers.find(({ role }) => role === 'leader');
    const { base, last, durable } = leader?.log ?? { base: 0, last: 0, durable: 0 };
    const shown = playback.logs(base + 1, last).find(({ server }) => server === leader?.id)?.entries ?? [];
    expect(shown.map(({ index }) => index)).toEqual(Array.from({ length: last - base }, (_, at) => base + 1 + at));
    expect(shown.every(({ term }) => term > 0)).toBe(true);
    expect(leader?.tail).toHaveLength(Math.min(6, last - base));
    expect(durable).toBe(last);
  });

  it('has the history of its clients, each call linked to its steps', () => {
    playback.seek({ branch: 0, step: length });
    const whole = playback.history();
    expect(whole).toMatchObject({ absent: null, verdict: 'ok' });
    expect(whole.operations.length).toBeGreaterThan(30);
    const write = whole.operations.find(({ kind, state }) => kind === 'propose' && state === 'done');
    expect(write?.calledStep).toBeLessThan(write?.committedStep ?? 0);
    expect(write?.committedStep).toBeLessThanOrEqual(write?.endedStep ?? 0);
    // At an earlier moment nobody knows how it ended.
    playback.seek({ branch: 0, step: (write?.committedStep ?? 0) - 1 });
    const then = playback.history().operations.find(({ id }) => id === write?.id);
    expect(then).toMatchObject({ state: 'open', endedAt: null, committedStep: null, endedStep: null });
  });
});

describe('a run of whole nodes, gone another way', () => {
  function choice(playback: Playback, item: RegExp, label: string): AnyAction {
    const found = playback.frame().pending.find(({ title }) => item.test(title));
    const action = found?.choices.find((each) => each.label === label)?.action;
    if (action === undefined) throw new Error(`Nothing like ${String(item)} can be ${label}.`);
    return action;
  }

  it('is the same up to the decision, and has it there', () => {
    const playback = opened();
    const step = Math.floor(playback.records().length / 3);
    playback.seek({ branch: 0, step });
    const before = playback.records();
    const victim = playback.frame().servers.find(({ condition }) => condition === 'running')?.id ?? '';
    playback.act([choice(playback, new RegExp(`^s${victim.replace(/^0+/, '')}: faults`), 'kill')]);
    const { position, branches } = playback.frame();
    const forkAt = branches[1]?.forkAt ?? 0;
    expect(position).toEqual({ branch: 1, step: forkAt + 1 });
    expect(forkAt).toBeGreaterThanOrEqual(step);
    expect(forkAt).toBeLessThan(step + 20);
    expect(playback.records().slice(0, forkAt).map(told)).toEqual(before.slice(0, forkAt).map(told));
    expect(playback.records()[forkAt]?.title).toMatch(/s\d is killed/);
    expect(playback.frame().servers.find(({ id }) => id === victim)?.condition).toBe('down');
    // The other future is still there.
    playback.seek({ branch: 0, step: before.length });
    expect(playback.records()).toBe(before);
  });

  it('is a trace of its own, which opens as it is', () => {
    const playback = opened();
    playback.seek({ branch: 0, step: 200 });
    playback.act([choice(playback, /^s1: faults/, 'kill')]);
    const again = recordPlan(decode(playback.trace()), 'again.json');
    expect(again.remark).toBeNull();
    expect(new CoreTape(again).records.map(told)).toEqual(playback.records().map(told));
  });

  it('leaves out what the adversary did', () => {
    const playback = opened();
    const cut = playback.records().find(({ kind }) => kind === 'cut')?.step ?? 0;
    playback.seek({ branch: 0, step: cut - 1 });
    playback.act([choice(playback, /the adversary, next/, 'leave it out')]);
    expect(playback.frame().branches[1]).toMatchObject({ forkAt: cut - 1 });
    expect(playback.frame().branches[1]?.name).toMatch(/^without: the link s\d→s\d is cut/);
  });

  it.each([
    ['fill its disk', /the disk of s\d is full/],
    ['wall clock on', /the wall clock of s\d jumps by 3600000 ms/],
    ['cut it off', /the link s1→s2 is cut/],
    ['disk stands still', /the disk of s\d stands still for 500 ms/],
  ] as const)('%s', (label, title) => {
    const playback = opened();
    playback.seek({ branch: 0, step: 200 });
    playback.act([choice(playback, /^s1: faults/, label)]);
    const forkAt = playback.frame().branches[1]?.forkAt ?? 0;
    expect(playback.records()[forkAt]?.title).toMatch(title);
  });

  it('a line through links cuts them', () => {
    const playback = opened();
    playback.seek({ branch: 0, step: 200 });
    const [a = '', b = ''] = playback.frame().servers.map(({ id }) => id);
    playback.act([
      { kind: 'cut', from: a, to: b },
      { kind: 'cut', from: b, to: a },
    ]);
    expect(playback.frame().branches[1]?.name).toBe('2 links are cut');
    playback.step(1);
    expect(playback.frame().cuts).toHaveLength(2);
  });

  it('says what cannot be done from outside, and when it is too late', () => {
    const playback = opened();
    playback.seek({ branch: 0, step: 200 });
    expect(() => playback.act([{ kind: 'propose', server: 's1' }])).toThrow('In a world of whole nodes');
    const kill = choice(playback, /^s1: faults/, 'kill');
    playback.seek({ branch: 0, step: playback.records().length });
    expect(() => playback.act([kill])).toThrow('All faults have ended here');
    playback.seek({ branch: 0, step: 0 });
    expect(() => playback.act([kill])).toThrow('Nothing has happened yet');
    expect(playback.frame().branches).toHaveLength(1);
  });
});

function told({ at, title, kind }: StepRecord): unknown {
  return { at, title, kind };
}

function shown(playback: Playback): unknown {
  const { position, now, servers, messages, happened } = playback.frame();
  return { position, now, servers, messages, happened };
}
