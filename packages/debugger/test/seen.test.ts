/** Runs and ways of a Raft in the lab, as the page is shown them. */
import { describe, expect, it } from 'vitest';
import { type SeenEvent, type SeenRecord, type SeenRun, seenTrace } from '@quorate/sim';
import { openSeen, type SeenTape } from '../src/engine/seen-tape.ts';

function seen(at: number, server: string | null, event: SeenEvent): SeenRecord {
  return { kind: 'seen', at, server, event };
}

const started = ['s0', 's1', 's2'].map((server) => seen(0, server, { kind: 'start' }));

function tapeOf(events: readonly SeenRecord[], rest: Partial<SeenRun> = {}): SeenTape {
  const run: SeenRun = {
    title: 'SearchElection: two at once',
    servers: ['s0', 's1', 's2'],
    failure: 'a term has at most one leader',
    finding: null,
    remark: null,
    left: 0,
    events: [...started, ...events],
    ...rest,
  };
  const { header, records } = seenTrace(run, '0', 'a test');
  return openSeen({ header, records: [...records] });
}

const call: SeenEvent = { kind: 'call', call: 1, to: 's1', method: 'requestVote', term: 1, text: '{}' };

describe('a way that a search found', () => {
  it('is broken where a second server leads the term, and knows the step in which the first did', () => {
    const tape = tapeOf([
      seen(1_000, 's0', { kind: 'timer', name: 'election' }),
      seen(1_000, 's0', { kind: 'state', term: 1, isLeader: true }),
      seen(2_000, 's1', { kind: 'timer', name: 'election' }),
      seen(2_000, 's1', { kind: 'state', term: 1, isLeader: true }),
    ]);
    expect(tape.violation).toMatchObject({ firstStep: 4, step: 5, first: 's0 led term 1', second: 's1 leads it too' });
  });

  it('tells the two facts of whatever else was found, at its last step', () => {
    const finding = { rule: 'nothing that is applied is lost', first: 'it had applied 2', second: 'now it has 1' };
    const remark = 'Steps stand a millisecond apart.';
    const tape = tapeOf([seen(1_000, 's0', { kind: 'restore', index: 1 })], { finding, remark });
    expect(tape.violation).toMatchObject({
      step: 4,
      sentence: finding.rule,
      first: finding.first,
      second: finding.second,
    });
    expect(tape.records[3]?.title).toBe('s0 takes over a snapshot up to 1');
    expect(tape.remark).toBe(remark);
  });

  it('shows a message until it is lost, whether it is the call or the answer', () => {
    const onTheirWay = (tape: SeenTape, step: number): readonly string[] => {
      tape.goTo(step);
      return tape.messages().map(({ kind }) => kind);
    };
    const lost: SeenEvent = { kind: 'lost', calls: [1], text: 'messages in flight are lost' };
    const ofCall = tapeOf([seen(1_000, 's0', call), seen(2_000, null, lost)]);
    expect([4, 5].map((step) => onTheirWay(ofCall, step))).toEqual([['requestVote'], []]);
    const answer: SeenEvent = { kind: 'answer', call: 1, term: 1, text: '{}' };
    const ofAnswer = tapeOf([
      seen(1_000, 's0', call),
      seen(2_000, 's1', { kind: 'called', call: 1 }),
      seen(2_000, 's1', answer),
      seen(3_000, null, lost),
    ]);
    expect([5, 6].map((step) => onTheirWay(ofAnswer, step))).toEqual([['requestVoteReply'], []]);
    expect(ofAnswer.records[5]?.title).toBe('messages in flight are lost');
  });

  it('of another build, without what a search found, opens as a run', () => {
    const { header, records } = seenTrace(
      {
        title: 'Backup',
        servers: ['s0'],
        failure: null,
        finding: null,
        remark: null,
        left: 0,
        events: started.slice(0, 1),
      },
      '0',
      'a test',
    );
    const { finding: _finding, remark: _remark, ...configuration } = header.configuration;
    const tape = openSeen({ header: { ...header, configuration }, records: [...records] });
    expect([tape.violation, tape.remark]).toEqual([null, null]);
  });

  it('with a finding that is none is refused', () => {
    const { header, records } = seenTrace(
      { title: 'x', servers: ['s0'], failure: 'y', finding: null, remark: null, left: 0, events: [] },
      '0',
      'a test',
    );
    const configuration = { ...header.configuration, finding: { rule: 1 } };
    expect(() => openSeen({ header: { ...header, configuration }, records: [...records] })).toThrow(
      /no run that was seen from outside/,
    );
  });
});
