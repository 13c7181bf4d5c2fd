import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../src/engine/protocol.ts';
import { Session } from '../src/engine/session.ts';
import { runSetupOf } from '../src/engine/setup.ts';

const fresh = (seed = 1, servers = 3): Session => new Session(runSetupOf({ kind: 'fresh', servers, seed }));

describe('walking through a run', () => {
  it('shows the same moment whichever way one comes to it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 200 }), (seed, at) => {
        const session = fresh(seed);
        session.step(at);
        const there = shown(session);
        session.step(60);
        session.step(-60);
        expect(shown(session)).toEqual(there);
        session.seek({ branch: 0, step: 0 });
        session.step(at);
        expect(shown(session)).toEqual(there);
      }),
      { numRuns: 20 },
    );
  });

  it('begins a branch for another decision, and keeps the old future', () => {
    const session = fresh();
    session.step(80);
    session.step(-40);
    const [before] = [shown(session)];
    session.act([{ kind: 'crash', server: 'n1', keep: 0 }]);
    session.step(30);
    const { branches } = session.frame();
    expect(branches.map(({ name, forkAt, length, parent }) => ({ name, forkAt, length, parent }))).toEqual([
      { name: 'main', forkAt: 0, length: 80, parent: null },
      { name: 'n1 crashes', forkAt: 40, length: 71, parent: 0 },
    ]);
    session.seek({ branch: 0, step: 40 });
    expect(shown(session)).toEqual(before);
  });

  it('goes on in a branch that is there when the same is decided again', () => {
    const session = fresh();
    session.step(50);
    for (let time = 0; time < 2; time++) {
      session.seek({ branch: 0, step: 20 });
      session.act([{ kind: 'pause', server: 'n2' }]);
    }
    expect(session.frame().branches).toHaveLength(2);
    expect(session.position).toEqual({ branch: 1, step: 21 });
  });

  it('leaves everything as it was when a decision cannot be made', () => {
    const session = fresh();
    session.step(10);
    session.step(-5);
    const before = shown(session);
    expect(() => session.act([{ kind: 'restart', server: 'n1' }])).toThrow('n1 runs');
    expect(shown(session)).toEqual(before);
    expect(session.frame().branches).toHaveLength(1);
  });

  it('shows a leader that is removed as no member', () => {
    const session = fresh();
    const servers = (): Frame['servers'] => session.frame().servers;
    const stepUntil = (isSo: () => boolean): void => {
      for (let steps = 0; steps < 1000 && !isSo(); steps++) session.step(1);
    };
    stepUntil(() => servers().every(({ log }) => log.commit > 0));
    expect(servers().map(({ seat }) => seat)).toEqual(['voter', 'voter', 'voter']);
    const leader = servers().find(({ role }) => role === 'leader')?.id ?? '';
    // Who leads holds the change in its own log; another that is removed may never hear of it.
    session.act([{ kind: 'change', server: leader, change: { op: 'remove', member: leader } }]);
    stepUntil(() => servers().some(({ seat }) => seat === 'none'));
    expect(servers().flatMap(({ id, seat }) => (seat === 'none' ? [id] : []))).toEqual([leader]);
  });

  it('tells each step to the page once', () => {
    const session = fresh();
    session.step(12);
    expect(session.frame().news.map(({ from, records }) => [from, records.length])).toEqual([[0, 12]]);
    session.step(3);
    expect(session.frame().news.map(({ from, records }) => [from, records.length])).toEqual([[12, 3]]);
    expect(session.frame().news).toEqual([]);
  });
});

/** All of a moment but what the page was told before. */
function shown(session: Session): unknown {
  const { position, now, servers, messages, pending, happened } = session.frame();
  return { step: position.step, now, servers, messages, pending, happened };
}
