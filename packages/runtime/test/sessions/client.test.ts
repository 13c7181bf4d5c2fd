import { openSession } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { command } from '../support/counter.ts';
import { Scene } from '../support/session-scene.ts';

describe('a session', () => {
  it('sends a command again that was lost, refused, or not answered, until it is answered once', async () => {
    const scene = new Scene();
    const session = await scene.open();
    scene.fates.push({ refusal: 'NotLeader' }, 'unknown', { refusal: 'Busy' }, 'silence', 'answer');
    expect(await scene.world(session.propose(command('x')))).toMatchObject({ sum: 1 });
    expect(scene.commands()).toEqual(['x']);
  });

  it('opens one session, however often it has to ask', async () => {
    const scene = new Scene();
    scene.fates.push('unknown', 'silence', 'unknown', 'answer');
    await scene.open();
    expect(scene.sessions).toBe(1);
  });

  it('keeps no answer at the servers that it does not need', async () => {
    const scene = new Scene();
    const session = await scene.open({ window: 4 });
    for (let i = 0; i < 20; i++) await scene.world(session.propose(command(`c${i}`)));
    expect(scene.keptBytes).toBeLessThan(200);
  });

  it('goes on with the next server when one fails, and stays there', async () => {
    const scene = new Scene(2);
    const session = await scene.open();
    scene.fates.push({ refusal: 'NotLeader' });
    await scene.world(session.propose(command('x')));
    await scene.world(session.propose(command('y')));
    expect(scene.asked).toEqual([0, 0, 1, 1]);
  });

  it('has no more commands under way than its window, counted from the lowest that is not answered', async () => {
    const scene = new Scene();
    const session = await scene.open({ window: 3 });
    scene.fates.push('silence', 'answer', 'answer', 'answer', 'answer', 'answer');
    const calls = Array.from({ length: 6 }, (_, number) => session.propose(command(`c${number}`)));
    await scene.virtual.run(100_000);
    expect(scene.commands()).toEqual(['c0', 'c1', 'c2']);
    await scene.world(Promise.all(calls));
    expect(scene.commands()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
  });

  it('refuses further calls when too many wait', async () => {
    const scene = new Scene();
    const session = await scene.open({ window: 1, maxWaiting: 1 });
    const first = session.propose(command('a'));
    const second = session.propose(command('b'));
    expect(await scene.errorOf(session.propose(command('c')))).toMatchObject({ code: 'Busy', definite: true });
    await scene.world(Promise.all([first, second]));
    await scene.world(session.propose(command('d')));
    expect(scene.commands()).toEqual(['a', 'b', 'd']);
  });

  it('says of a command that is given up whether it certainly has no effect', async () => {
    const scene = new Scene();
    const session = await scene.open({ window: 1 });
    const [sent, waiting] = [new AbortController(), new AbortController()];
    scene.fates.push('silence');
    const first = session.propose(command('sent'), { signal: sent.signal });
    const second = session.propose(command('waiting'), { signal: waiting.signal });
    waiting.abort();
    expect(await scene.errorOf(second)).toMatchObject({ code: 'Aborted', definite: true });
    sent.abort();
    expect(await scene.errorOf(first)).toMatchObject({ code: 'Aborted', definite: false });
    await scene.virtual.run(10_000);
    const third = session.propose(command('x'), { signal: sent.signal });
    expect(await scene.errorOf(third)).toMatchObject({ code: 'Aborted', definite: true });
    expect(scene.commands()).toEqual(['sent']);
  });

  it('says of a command that was only ever refused, and then given up, that it has no effect', async () => {
    const scene = new Scene();
    const session = await scene.open();
    const abort = new AbortController();
    scene.fates.push({ refusal: 'NotLeader' });
    const call = session.propose(command('x'), { signal: abort.signal });
    await scene.virtual.run(2_000);
    abort.abort();
    expect(await scene.errorOf(call)).toMatchObject({ code: 'Aborted', definite: true });
    await scene.virtual.run(1_000_000);
    expect(scene.commands()).toEqual([]);
  });

  it('goes on after a command that was given up, and never has it take effect late', async () => {
    const scene = new Scene();
    const session = await scene.open({ window: 2 });
    const abort = new AbortController();
    scene.delays.push(500_000);
    const call = session.propose(command('late'), { signal: abort.signal });
    abort.abort();
    expect(await scene.errorOf(call)).toMatchObject({ code: 'Aborted', definite: false });
    for (let i = 0; i < 5; i++) await scene.world(session.propose(command(`c${i}`)));
    await scene.virtual.run(1_000_000);
    expect(scene.commands()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
  });

  it('does not call it certain that an expired command has no effect when an attempt is open', async () => {
    const scene = new Scene();
    const session = await scene.open({ limits: { maxSessions: 1 } });
    scene.fates.push('unknown');
    const call = session.propose(command('x'));
    await scene.virtual.run(3_000);
    await scene.open({ limits: { maxSessions: 1 } });
    expect(await scene.errorOf(call)).toMatchObject({ code: 'SessionExpired', definite: false });
    const next = session.propose(command('y'));
    expect(await scene.errorOf(next)).toMatchObject({ code: 'SessionExpired', definite: true });
    expect(scene.commands()).toEqual(['x']);
  });

  it('tells those that wait when the session is gone', async () => {
    const scene = new Scene();
    const session = await scene.open({ window: 1, limits: { maxSessions: 1 } });
    await scene.open({ limits: { maxSessions: 1 } });
    const errors = [1, 2, 3].map((number) => scene.errorOf(session.propose(command(`c${number}`))));
    for (const error of await Promise.all(errors))
      expect(error).toMatchObject({ code: 'SessionExpired', definite: true });
    expect(scene.commands()).toEqual([]);
  });

  it('gives up when every server is going away, and says whether an attempt is open', async () => {
    const scene = new Scene(2);
    const session = await scene.open();
    scene.fates.push({ refusal: 'ShuttingDown' }, { refusal: 'ShuttingDown' });
    expect(await scene.errorOf(session.propose(command('x')))).toMatchObject({ code: 'ShuttingDown', definite: true });
    scene.fates.push('unknown', { refusal: 'ShuttingDown' }, { refusal: 'ShuttingDown' });
    expect(await scene.errorOf(session.propose(command('y')))).toMatchObject({ code: 'ShuttingDown', definite: false });
  });

  it('does not send again what no server would take', async () => {
    const scene = new Scene();
    const session = await scene.open();
    scene.fates.push({ refusal: 'TooLarge' });
    expect(await scene.errorOf(session.propose(command('x')))).toMatchObject({ code: 'TooLarge', definite: true });
    expect(scene.asked).toHaveLength(2);
  });

  it('refuses what is no command, and spends no number on it', async () => {
    const scene = new Scene();
    const session = await scene.open({ window: 1 });
    const error = await scene.errorOf(session.propose('text' as unknown as Uint8Array));
    expect(error).toMatchObject({ code: 'InvalidOptions', definite: true });
    await scene.world(session.propose(command('x')));
    expect(scene.commands()).toEqual(['x']);
  });

  it('ends a call that fails in a way that it does not know', async () => {
    const scene = new Scene();
    const session = await scene.open();
    const failure = new TypeError('a bug of whoever wrote propose');
    scene.fates.push({ failure });
    const error = await scene.errorOf(session.propose(command('x')));
    expect(error).toMatchObject({ code: 'OutcomeUnknown', definite: false, cause: failure });
  });

  it('finishes what is under way before it closes', async () => {
    const scene = new Scene();
    const session = await scene.open({ window: 1 });
    scene.fates.push('silence');
    const calls = [1, 2, 3].map((number) => session.propose(command(`c${number}`)));
    const closed = session.close();
    expect(session.state).toBe('closing');
    expect(await scene.errorOf(session.propose(command('late')))).toMatchObject({ code: 'SessionClosed' });
    await scene.world(Promise.all([...calls, closed]));
    expect(session.state).toBe('closed');
    expect(scene.sessions).toBe(0);
    await scene.world(session.close());
  });

  it('can be closed again after a close that was given up', async () => {
    const scene = new Scene();
    const session = await scene.open();
    const abort = new AbortController();
    scene.fates.push('silence', 'silence');
    const call = session.propose(command('x'));
    const closing = session.close({ signal: abort.signal });
    abort.abort();
    expect(await scene.errorOf(closing)).toMatchObject({ code: 'Aborted' });
    await scene.world(Promise.all([call, session.close()]));
    expect(scene.sessions).toBe(0);
  });

  it.each([
    ['a window of 0', { window: 0 }, /window is 0/],
    ['a window beyond all bounds', { window: 5000 }, /from 1 to 4096/],
    ['a timeout of nothing', { attemptTimeout: 0 }, /attemptTimeout is 0/],
    ['no session allowed', { limits: { maxSessions: 0 } }, /maxSessions is 0/],
  ])('refuses %s', async (_, options, message) => {
    const scene = new Scene();
    const error = await scene.errorOf(scene.opening(options));
    expect(error).toMatchObject({ code: 'InvalidOptions', message: expect.stringMatching(message) as string });
  });

  it('needs a server, and timers', async () => {
    expect(await new Scene(0).errorOf(new Scene(0).opening())).toMatchObject({ code: 'InvalidOptions' });
    const without = openSession({ propose: () => Promise.reject(new Error('never asked')) });
    expect(await without.catch((error: unknown) => error)).toMatchObject({ code: 'InvalidOptions' });
  });

  it('gives up opening when it is told to', async () => {
    const scene = new Scene();
    const abort = new AbortController();
    scene.fates.push('silence');
    const opening = scene.opening({ signal: abort.signal });
    abort.abort();
    expect(await scene.errorOf(opening)).toMatchObject({ code: 'Aborted', definite: false });
    expect(await scene.errorOf(scene.opening({ signal: abort.signal }))).toMatchObject({
      code: 'Aborted',
      definite: true,
    });
  });
});
