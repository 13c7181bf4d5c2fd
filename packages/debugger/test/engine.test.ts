import { describe, expect, it } from 'vitest';
import { figureEight } from './support/figure-eight.ts';
import { asking } from './support/host.ts';

describe('a trace of a core with a mistake in it', () => {
  const trace = figureEight.text;

  it('opens at the step that breaks the rule, and says why', async () => {
    const ask = asking();
    const frame = await ask('openTrace', { name: 'figure8.json', text: trace });
    const [main] = frame.branches;
    expect(main?.violation).toMatchObject({ invariant: 'C3', step: frame.position.step });
    expect(frame.remark).toBeNull();
    const why = await ask('why', {});
    expect(why).toMatchObject({ secondStep: frame.position.step, violation: { invariant: 'C3' } });
    expect(why?.firstStep).toBeLessThan(frame.position.step);
    expect(why?.slice.at(-1)?.step).toBe(frame.position.step);
  });

  it('is as short as it can be: shrinking leaves it as it is', async () => {
    const ask = asking();
    await ask('openTrace', { name: 'figure8.json', text: trace });
    expect(await ask('shrink', {})).toMatchObject({ isReached: false });
  });

  it('shrinks back to its length when steps that lead nowhere stand between', async () => {
    const ask = asking();
    const { position } = await ask('openTrace', { name: 'figure8.json', text: trace });
    // n3 stands, and nothing that it says ever arrives.
    const lines = trace.split('\n');
    const noise = '{"kind":"decision","at":0,"step":0,"action":{"kind":"timeout","server":"n3","timer":"election"}},';
    const renumbered = lines
      .slice(1)
      .map((line) => line.replace(/"message":(\d+)/, (_all, id) => `"message":${Number(id) + 2}`));
    const long = await ask('openTrace', { name: 'long.json', text: [lines[0], noise, ...renumbered].join('\n') });
    expect(long.branches[0]?.violation?.invariant).toBe('C3');
    expect(long.position.step).toBe(position.step + 1);
    const shrunk = await ask('shrink', {});
    expect(shrunk.isReached).toBe(true);
    expect(shrunk.frame.branches.at(-1)).toMatchObject({ length: position.step, violation: { invariant: 'C3' } });
  });

  it('says where a trace no longer applies, and shows the run up to there', async () => {
    const lines = trace.split('\n');
    const broken = [
      ...lines.slice(0, 3),
      '{"kind":"decision","at":0,"step":2,"action":{"kind":"deliver","message":99}},',
      ...lines.slice(3),
    ];
    const frame = await asking()('openTrace', { name: 'figure8.json', text: broken.join('\n') });
    expect(frame.remark).toContain('Step 3 no longer applies: message 99 is not in flight');
    expect(frame.branches[0]?.length).toBe(2);
  });

  it('is refused, with what to do, where that core is not built', async () => {
    const unknown = trace.replace('"bug":"figure8"', '"bug":"figure9"');
    await expect(asking()('openTrace', { name: 'x', text: unknown })).rejects.toThrow(
      'The core with the mistake "figure9" is not in this page',
    );
  });
});

describe('a run', () => {
  it('goes on until something is so, and says what', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    const led = await ask('runUntil', { predicate: { kind: 'leader', server: null }, how: 'continue' });
    expect(led).toMatchObject({ isReached: true });
    expect(led.text).toMatch(/After \d+ steps: n\d leads term 1/);
    const committed = await ask('runUntil', { predicate: { kind: 'commit', atLeast: 3 }, how: 'continue' });
    expect(committed.frame.servers.some(({ log }) => log.commit >= 3)).toBe(true);
  });

  it('is searched for a schedule, which becomes a branch', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    const found = await ask('runUntil', { predicate: { kind: 'leader', server: 'n3' }, how: 'search' });
    expect(found.isReached).toBe(true);
    expect(found.frame.servers.find(({ id }) => id === 'n3')?.role).toBe('leader');
    expect(found.frame.branches.at(-1)?.name).toBe('found: n3 leads');
  }, 120_000);

  it('tells an entry’s story: who made it, who has it, when it was committed', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    const { frame } = await ask('runUntil', { predicate: { kind: 'commit', atLeast: 2 }, how: 'continue' });
    const leader = frame.servers.find(({ role }) => role === 'leader')?.id ?? '';
    const story = await ask('story', { server: leader, index: 2 });
    expect(story).toMatchObject({ createdBy: leader, index: 2, term: 1, committedAt: frame.position.step });
    expect(story?.acknowledgedAt.length).toBeGreaterThan(0);
    expect(story?.durableAt.length).toBeGreaterThan(1);
  });

  it('has a history with an order of its operations, each linked to its steps', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    await ask('runUntil', { predicate: { kind: 'commit', atLeast: 4 }, how: 'continue' });
    await ask('act', { actions: [{ kind: 'read', server: 'n1' }] });
    await ask('step', { by: 60 });
    const history = await ask('history', {});
    expect(history.verdict).toBe('ok');
    const [first] = history.operations;
    expect(first).toMatchObject({ kind: 'propose', state: 'done', place: 1 });
    expect(first?.committedStep).toBeGreaterThan(first?.calledStep ?? 0);
    expect(history.operations.find(({ kind }) => kind === 'read')).toMatchObject({ state: 'done' });
  });

  it('has at each moment the history that a walk straight there finds, whichever way one comes', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    await ask('runUntil', { predicate: { kind: 'commit', atLeast: 4 }, how: 'continue' });
    const { position } = await ask('act', { actions: [{ kind: 'read', server: 'n1' }] });
    await ask('step', { by: 60 });
    const moments = [position.step - 3, position.step, position.step + 20, position.step + 60, position.step - 30];
    for (const step of [...moments, ...moments.toReversed()]) {
      await ask('seek', { branch: position.branch, step });
      const along = await ask('history', {});
      const straight = asking();
      await straight('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
      await straight('runUntil', { predicate: { kind: 'commit', atLeast: 4 }, how: 'continue' });
      await straight('act', { actions: [{ kind: 'read', server: 'n1' }] });
      await straight('step', { by: 60 });
      await straight('seek', { branch: position.branch, step });
      expect(along).toEqual(await straight('history', {}));
    }
  });

  it.each(['trace', 'scenario', 'test', 'mermaid'] as const)('is exported as %s', async (form) => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    const frame = await ask('step', { by: 40 });
    const text = await ask('export', { form });
    expect(text.split('\n').length).toBeGreaterThan(20);
    if (form !== 'trace') return;
    const again = await asking()('openTrace', { name: 'again', text });
    expect(again.branches[0]?.length).toBe(40);
    expect(again.title).toBe(frame.title);
  });

  it('is held in a link by its decisions alone', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 5, seed: 9 } });
    await ask('step', { by: 300 });
    await ask('act', { actions: [{ kind: 'crash', server: 'n2', keep: 0 }] });
    const frame = await ask('step', { by: 100 });
    const link = await ask('link', {});
    expect(link.length).toBeLessThan(600);
    const again = await asking()('openLink', { link });
    expect(again.servers).toEqual(frame.servers);
    expect(again.messages).toEqual(frame.messages);
  });

  it.each([
    ['nothing', ''],
    ['noise', 'x!'],
    ['another kind of data', Buffer.from('{"v":1}').toString('base64url')],
    ['another version', Buffer.from('{"v":9,"step":0,"did":[]}').toString('base64url')],
  ])('refuses a link that is %s', async (_what, link) => {
    await expect(asking()('openLink', { link })).rejects.toThrow(/^The link/);
  });

  it('lays two branches side by side', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    await ask('step', { by: 50 });
    await ask('seek', { branch: 0, step: 30 });
    await ask('act', { actions: [{ kind: 'crash', server: 'n1', keep: 0 }] });
    const before = await ask('step', { by: 10 });
    const comparison = await ask('compare', { branch: 0 });
    expect(comparison).toMatchObject({ names: ['n1 crashes', 'main'], shared: 30 });
    expect(comparison.steps[0]?.titles[0]).toBe('n1 crashes');
    const after = await ask('step', { by: 0 });
    expect(after.position).toEqual(before.position);
  });
});
