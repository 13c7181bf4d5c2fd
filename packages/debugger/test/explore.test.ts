import { describe, expect, it } from 'vitest';
import { asking } from './support/host.ts';

const small = {
  kind: 'run',
  run: {
    title: 'small',
    options: {
      servers: 3,
      timing: 'order',
      disk: 'atOnce',
      raft: { stableLeadership: false },
      budgets: { terms: 1, elections: 1, requests: 0, stickiness: 0 },
    },
    bug: null,
    requestEvery: null,
  },
} as const;

describe('the states ahead', () => {
  it('are all there are, within the budgets; the picture holds the first of them', async () => {
    const ask = asking();
    await ask('open', { setup: small });
    const view = await ask('explore', { goal: null, depth: 40 });
    expect(view.text).toContain('there are no others within what is allowed');
    const total = view.levels.reduce((sum, count) => sum + count, 0);
    expect(view.nodes.length).toBe(Math.min(total, view.nodes.length));
    expect(view.levels[0]).toBe(1);
    expect(view.levels[1]).toBe(view.nodes.filter(({ depth }) => depth === 1).length);
    expect(view.refused.some(([reason]) => reason.includes('budget'))).toBe(true);
    // Different orders of the same deliveries meet again: it is a graph and no tree.
    expect(view.edges.length).toBeGreaterThanOrEqual(view.nodes.length - 1);
  });

  it('lead somewhere: a state of the picture becomes a branch that ends in it', async () => {
    const ask = asking();
    await ask('open', { setup: small });
    const { nodes } = await ask('explore', { goal: null, depth: 10 });
    const node = nodes.find(({ hasLeader }) => hasLeader);
    const frame = await ask('goToState', { of: 'picture', id: node?.id ?? 0 });
    expect(frame.position.step).toBe(node?.depth);
    expect(frame.servers.some(({ role }) => role === 'leader')).toBe(true);
  });

  it('tell what came nearest to a goal that was missed, and what it lacked', async () => {
    const ask = asking();
    await ask('open', { setup: small });
    const view = await ask('explore', { goal: { kind: 'twoLeaders' }, depth: 40 });
    expect(view.nearest.length).toBeGreaterThan(0);
    expect(view.nearest[0]?.lacking.length).toBeGreaterThan(0);
    const frame = await ask('goToState', { of: 'near', id: 0 });
    expect(frame.position.step).toBe(view.nearest[0]?.depth);
  });

  it('tell the way to a goal that was reached', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    const view = await ask('explore', { goal: { kind: 'leader', server: 'n2' }, depth: 12 });
    expect(view.text).toMatch(/n2 leads, \d+ steps from here/);
    const frame = await ask('goToState', { of: 'near', id: -1 });
    expect(frame.servers.find(({ id }) => id === 'n2')?.role).toBe('leader');
  }, 60_000);

  it('are not to be had of what has been', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'nodes', servers: 3, seed: 1, seconds: 1 } });
    await expect(ask('explore', { goal: null, depth: 3 })).rejects.toThrow('This has been');
  });
});

describe('a glimpse of another branch', () => {
  it('shows its end, and the moment stays', async () => {
    const ask = asking();
    await ask('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
    const end = await ask('step', { by: 120 });
    await ask('seek', { branch: 0, step: 30 });
    const before = await ask('act', { actions: [{ kind: 'crash', server: 'n1', keep: 0 }] });
    expect(await ask('glimpse', { branch: 0 })).toEqual(end.servers);
    const after = await ask('step', { by: 0 });
    expect(after.position).toEqual(before.position);
    expect(after.servers).toEqual(before.servers);
    await expect(ask('glimpse', { branch: 7 })).rejects.toThrow('There is no branch 7');
  });
});
