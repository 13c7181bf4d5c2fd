import { describe, expect, it } from 'vitest';
import { findPattern, motifs, type Occurrence } from '../src/engine/motifs.ts';
import { Session } from '../src/engine/session.ts';
import { runSetupOf } from '../src/engine/setup.ts';
import { asking } from './support/host.ts';
import { figureEight } from './support/figure-eight.ts';

function fresh(): Session {
  return new Session(runSetupOf({ kind: 'fresh', servers: 3, seed: 1 }));
}

/** Until somebody leads and has committed. */
function led(session: Session): string {
  for (let step = 0; step < 500; step++) {
    session.step(1);
    const leader = session.servers.find(({ raft }) => raft?.role === 'leader');
    if (leader !== undefined && (leader.raft?.commitIndex ?? 0) > 1) return leader.id;
  }
  throw new Error('Nobody has committed anything.');
}

function find(name: string, session: Session): readonly Occurrence[] {
  const motif = motifs.find((each) => each.name === name);
  if (motif === undefined) throw new Error(`There is no pattern "${name}".`);
  return motif.find(session.records());
}

describe('a pattern of words', () => {
  const session = fresh();
  const leader = led(session);
  const records = session.records();

  it('of one part is every step that mentions it', () => {
    const found = findPattern(records, 'requestVote');
    expect(found.length).toBeGreaterThan(2);
    for (const { steps } of found) expect(steps).toHaveLength(1);
    expect(findPattern(records, '  ')).toEqual([]);
    expect(findPattern(records, 'nobody ever says this')).toEqual([]);
  });

  it('with arrows is steps of which each led to the next', () => {
    const found = findPattern(records, 'requestVote → leads → commit');
    expect(found.length).toBeGreaterThan(0);
    for (const { steps } of found) {
      expect(steps).toHaveLength(3);
      expect([...steps].sort((a, b) => a - b)).toEqual(steps);
      expect(records[(steps[1] ?? 0) - 1]).toMatchObject({ server: leader, changes: { role: 'leader' } });
    }
  });

  it('with arrows is not steps that only came later', () => {
    // Of two messages that left in one step, the arrival of the one does not lead to that of the other.
    const arrived = records.filter(({ message }) => message?.kind === 'requestVote');
    const [one = '', other = ''] = arrived.map(({ title }) => title);
    expect(arrived).toHaveLength(2);
    expect(findPattern(records, one)).toHaveLength(1);
    expect(findPattern(records, other)).toHaveLength(1);
    expect(findPattern(records, `${one} → ${other}`)).toEqual([]);
    expect(findPattern(records, `${one} > leads`).concat(findPattern(records, `${other} > leads`))).not.toEqual([]);
  });
});

describe('the well-known patterns', () => {
  it('a message that is lost has no reply, and both are found', () => {
    const session = fresh();
    led(session);
    const before = find('a request with no reply', session).length;
    while (!session.world.flights.some(({ message }) => message.kind === 'appendEntries')) session.step(1);
    const flight = session.world.flights.find(({ message }) => message.kind === 'appendEntries');
    session.act([{ kind: 'drop', message: flight?.id ?? 0 }]);
    expect(find('a message that was lost', session)).toMatchObject([{ steps: [session.position.step] }]);
    expect(find('a request with no reply', session).length).toBeGreaterThanOrEqual(before);
    expect(findPattern(session.records(), 'is lost')).toHaveLength(1);
  });

  it('a message that is held up is overtaken', () => {
    const session = fresh();
    led(session);
    while (!session.world.flights.some(({ message }) => message.kind === 'heartbeat')) session.step(1);
    const flight = session.world.flights.find(({ message }) => message.kind === 'heartbeat');
    const before = find('a message that overtook another', session);
    session.act([{ kind: 'delay', message: flight?.id ?? 0, by: 120_000 }]);
    session.step(120);
    const found = find('a message that overtook another', session);
    expect(found.slice(0, before.length)).toEqual(before);
    const heldUp = found.slice(before.length);
    expect(heldUp[0]?.text).toMatch(/comes behind/);
    expect(heldUp[0]?.steps).toHaveLength(4);
  });

  it('a leader that was cut off leads beside another, and steps down when it hears of it', () => {
    const session = fresh();
    const old = led(session);
    for (const { id } of session.servers) {
      if (id === old) continue;
      session.act([
        { kind: 'cut', from: old, to: id },
        { kind: 'cut', from: id, to: old },
      ]);
    }
    const isDivided = (): boolean => session.servers.filter(({ raft }) => raft?.role === 'leader').length > 1;
    expect(find('two leaders at once', session)).toEqual([]);
    for (let step = 0; step < 400 && !isDivided(); step++) session.step(1);
    // With CheckQuorum it may have stepped down before: then nobody led beside it.
    expect(find('two leaders at once', session)).toHaveLength(isDivided() ? 1 : 0);
    session.step(400);
    expect(find('a leader that stepped down', session).length).toBeGreaterThan(0);
  });

  it('two candidates divide the votes of a term, which nobody wins', async () => {
    const session = new Session(
      runSetupOf({
        kind: 'run',
        run: {
          title: 'two stand',
          options: {
            servers: 2,
            timing: 'order',
            raft: { stableLeadership: false },
            budgets: { terms: 3, elections: 4 },
          },
          bug: null,
          requestEvery: null,
        },
      }),
    );
    session.act([
      { kind: 'timeout', server: 'n1', timer: 'election' },
      { kind: 'timeout', server: 'n2', timer: 'election' },
    ]);
    expect(find('two votes of one term for different candidates', session)).toMatchObject([{ steps: [1, 2] }]);
    session.act([{ kind: 'timeout', server: 'n1', timer: 'election' }]);
    expect(find('a term that nobody won', session)).toMatchObject([{ steps: [1, 2], text: 'nobody won term 1' }]);
  });

  it('Figure 8: an entry is committed by a later leader than made it', async () => {
    const ask = asking();
    const frame = await ask('openTrace', { name: 'figure8.json', text: figureEight.text });
    const records = frame.news[0]?.records ?? [];
    const motif = motifs.find(({ name }) => name.startsWith('an entry committed by a later'));
    expect(motif?.find(records)).toMatchObject([{ text: 'entry 1 of term 1 is committed in term 2' }]);
  });
});
