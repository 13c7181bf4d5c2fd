import type { Input, ProposalResult } from '@quorate/raft';
import { defaultNodeLimits, type NodeLimits, type ProposalOutcome } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { Proposals } from '../src/loop/proposals.ts';
import { command } from './support/counter.ts';

describe('the commands of one turn', () => {
  it('travel together, up to a size, with ids that follow each other', () => {
    const { proposals, inputs, add, flush } = collect({ maxProposalBatchBytes: 10 });
    for (const text of ['aaaa', 'bbbb', 'cccc', 'dddddddddddddd', 'e']) add(text);
    flush();
    expect(inputs.map(({ id, commands }) => [id, commands.map((bytes) => new TextDecoder().decode(bytes))])).toEqual([
      [100, ['aaaa', 'bbbb']],
      [102, ['cccc']],
      [103, ['dddddddddddddd']],
      [104, ['e']],
    ]);
    expect(proposals.count).toBe(5);
  });

  it('are refused before anything is appended when the disk has no room', () => {
    const { outcomes, inputs, add, flush } = collect();
    add('a');
    flush(() => false);
    expect(inputs).toEqual([]);
    expect(outcomes).toEqual(['refused diskFull']);
  });
});

describe('a command', () => {
  it('is answered by the entry that was committed where it was appended', () => {
    const { proposals, outcomes, add, flush, result } = collect();
    add('mine');
    add('lost');
    flush();
    result({ id: 100, count: 2, index: 7, term: 3 });
    proposals.onApplied(7, 3, 'result');
    expect(outcomes).toEqual(['applied 7 result']);
    proposals.onApplied(8, 4, 'of another leader');
    expect(outcomes).toEqual(['applied 7 result', 'refused dropped']);
    expect(proposals.isEmpty).toBe(true);
  });

  it('carried to a leader whose answer comes late gets the result that was kept for it', () => {
    const { proposals, outcomes, add, flush, result } = collect();
    add('a');
    add('b');
    flush();
    proposals.onApplied(7, 3, 'first');
    proposals.onApplied(8, 3, 'second');
    result({ id: 100, count: 2, index: 7, term: 3 }, 8);
    expect(outcomes).toEqual(['applied 7 first', 'applied 8 second']);
  });

  it('carried to a leader of which nothing was kept is not certain', () => {
    const { outcomes, add, flush, result } = collect();
    add('a');
    flush();
    result({ id: 100, count: 1, index: 7, term: 3 }, 8);
    expect(outcomes).toEqual(['unknown']);
  });

  it('carried to a leader that was lost is not certain', () => {
    const { outcomes, add, flush, result } = collect();
    add('a');
    flush();
    result({ id: 100, count: 1, index: 0, term: 3, unknown: true });
    expect(outcomes).toEqual(['unknown']);
  });

  it('that a snapshot has jumped over is not certain; those behind it wait on', () => {
    const { proposals, outcomes, add, flush, result } = collect();
    add('a');
    add('b');
    flush();
    result({ id: 100, count: 2, index: 7, term: 3 });
    proposals.onRestored(7);
    expect(outcomes).toEqual(['unknown']);
    proposals.onApplied(8, 3, 'second');
    expect(outcomes).toEqual(['unknown', 'applied 8 second']);
  });

  it('appended under a leader that is lost has a short while to be applied under the next one', () => {
    const { proposals, outcomes, add, flush, result } = collect({ requestTimeout: 10_000, leaderLossGrace: 500 });
    for (const text of ['applied in time', 'not applied']) add(text);
    flush();
    result({ id: 100, count: 2, index: 7, term: 3 });
    proposals.onLeaderLost(1_000);
    proposals.onApplied(7, 3, 'first');
    proposals.expire(1_499);
    expect(outcomes).toEqual(['applied 7 first']);
    proposals.expire(1_500);
    expect(outcomes).toEqual(['applied 7 first', 'unknown']);
  });

  it('that waits too long is not certain, and what becomes of it later is heard by nobody', () => {
    const { proposals, outcomes, add, flush, result } = collect({ requestTimeout: 1_000 });
    add('a');
    flush();
    proposals.expire(999);
    expect(outcomes).toEqual([]);
    proposals.expire(1_000);
    expect(outcomes).toEqual(['unknown']);
    result({ id: 100, count: 1, index: 7, term: 3 });
    proposals.onApplied(7, 3, 'late');
    expect(outcomes).toEqual(['unknown']);
    expect(proposals.isEmpty).toBe(true);
  });

  it('is refused when the node stops before it was handed over, and not certain after', () => {
    const { proposals, outcomes, add, flush } = collect();
    add('handed over');
    flush();
    add('not yet');
    proposals.stop('The server has stopped.');
    expect(outcomes).toEqual(['unknown', 'refused shuttingDown']);
  });

  it('counts against the limits until it is answered', () => {
    const { proposals, add, flush, result } = collect({ maxPendingProposals: 2, maxPendingBytes: 10 });
    add('12345678');
    expect(proposals.refusal(3)).toBe('busy');
    expect(proposals.refusal(2)).toBeNull();
    add('9');
    expect(proposals.refusal(0)).toBe('busy');
    flush();
    result({ id: 100, count: 2, index: 0, term: 3, refused: 'noLeader' });
    expect(proposals.refusal(10)).toBeNull();
    expect(proposals.refusal(1001)).toBe('tooLarge');
  });
});

type ProposeInput = Extract<Input, { kind: 'propose' }>;

function collect(limits: Partial<NodeLimits> = {}): {
  readonly proposals: Proposals;
  readonly outcomes: string[];
  readonly inputs: ProposeInput[];
  readonly add: (text: string) => void;
  readonly flush: (hasRoomFor?: () => boolean) => void;
  readonly result: (result: Partial<ProposalResult> & Pick<ProposalResult, 'id' | 'count'>, applied?: number) => void;
} {
  const proposals = new Proposals({ ...defaultNodeLimits, ...limits }, 1000, 100);
  const outcomes: string[] = [];
  const inputs: ProposeInput[] = [];
  return {
    proposals,
    outcomes,
    inputs,
    add: (text) => proposals.add(command(text), (outcome) => outcomes.push(told(outcome)), 0),
    flush: (hasRoomFor = () => true) =>
      proposals.flush(0, hasRoomFor, (input) => {
        if (input.kind === 'propose') inputs.push(input);
      }),
    result: (result, applied = 0) =>
      proposals.onResult({ index: 0, term: 0, refused: null, unknown: false, ...result }, applied),
  };
}

function told(outcome: ProposalOutcome): string {
  if (outcome.kind === 'applied') return `applied ${outcome.index} ${String(outcome.result)}`;
  return outcome.kind === 'refused' ? `refused ${outcome.reason}` : 'unknown';
}
