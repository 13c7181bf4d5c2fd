/** The search: it visits exactly the states that there are, finds what breaks by a shortest way, and says what it has not looked at. */
import { Raft, type Input } from '@quorate/raft';
import { describe, expect, test } from 'vitest';
import {
  BreadthFirst,
  committed,
  CoreWorld,
  type CoreWorldOptions,
  coreRunTrace,
  decodeTrace,
  DepthFirst,
  encodeTrace,
  explain,
  goal,
  inTerm,
  leads,
  RandomWalk,
  readCoreRun,
  type Searching,
  type SearchResult,
  StagedSearch,
  TraceError,
  twoLeaders,
} from '../src/index.ts';
import { countStates } from './support/naive-search.ts';

const lost = ['heartbeat', 'heartbeatReply'] as const;
const plain = { stableLeadership: false };
const oneElection: CoreWorldOptions = {
  servers: 3,
  timing: 'order',
  disk: 'atOnce',
  lost,
  raft: plain,
  budgets: { terms: 1, elections: 1, requests: 1, stickiness: 0 },
};
const twoElections: CoreWorldOptions = {
  ...oneElection,
  budgets: { terms: 2, elections: 2, requests: 0, stickiness: 0 },
};

function searched(search: Searching): SearchResult {
  while (!search.advance(10_000));
  return search.result();
}

describe('the number of states is that of a search written in the plainest way', () => {
  const everything = 100;
  test.each<[string, number, CoreWorldOptions]>([
    ['one election, to the end', everything, { ...oneElection, budgets: { ...oneElection.budgets, requests: 0 } }],
    ['a request', 7, oneElection],
    ['writes as steps of their own', 9, { ...oneElection, disk: 'steps' }],
    ['PreVote', 7, { ...oneElection, raft: {}, budgets: { terms: 1, elections: 1, requests: 0, stickiness: 1 } }],
    [
      'heartbeats',
      everything,
      { ...oneElection, lost: ['appendEntries'], budgets: { terms: 1, elections: 1, requests: 0 } },
    ],
    ['two elections', 6, twoElections],
    ['a crash', 6, { ...oneElection, disk: 'steps', budgets: { terms: 1, elections: 1, requests: 0, crashes: 1 } }],
  ])('%s', (_, depth, options) => {
    const { states, orbits } = countStates(options, depth);
    const limits = { maxDepth: depth, repeatEvery: 16 };
    const result = searched(new BreadthFirst(new CoreWorld({ ...options, symmetry: false }), limits));
    expect(result).toMatchObject({ end: depth === everything ? 'exhausted' : 'depth', states });
    const repeated = [...result.taken.values()].reduce((sum, times) => sum + Math.ceil(times / 16), 0);
    expect(result.repeated).toBe(repeated);
    expect(orbits).toBeLessThan(states / 2);
    // With PreVote names are not exchanged: an ID decides who gives way.
    expect(searched(new BreadthFirst(new CoreWorld(options), limits)).states).toBe(
      options.raft === plain ? orbits : states,
    );
  });
});

test('depth first visits the same states as breadth first', () => {
  const breadth = searched(new BreadthFirst(new CoreWorld(oneElection)));
  for (const seed of [null, 1, 2]) {
    const depth = searched(new DepthFirst(new CoreWorld(oneElection), { seed, maxDepth: 100 }));
    expect(depth).toMatchObject({ end: 'exhausted', states: breadth.states });
  }
});

/** A core that takes every candidate's request for a vote of a server that has not voted. */
class VotesTwice extends Raft {
  override step(input: Input): void {
    if (input.kind === 'message' && input.message.kind === 'requestVote') Object.assign(this.state, { vote: null });
    super.step(input);
  }
  static override fromState(...[options, state]: Parameters<typeof Raft.fromState>): Raft {
    return new VotesTwice(options, { resumed: state });
  }
}

describe('a core that votes twice in a term', () => {
  const options: CoreWorldOptions = { ...twoElections, core: VotesTwice };

  test('is found breadth first by a shortest way, and the judges of whole runs agree', () => {
    const result = searched(new BreadthFirst(new CoreWorld(options)));
    expect(result).toMatchObject({ end: 'violation', broken: { invariant: 'A3' } });
    const explanation = explain(options, result.actions!);
    expect(explanation.broken).toEqual(result.broken);
    expect(explanation.violation?.invariant).toBe('A3');
    expect(explanation.steps).toHaveLength(result.actions!.length);
  });

  test('depth first and walks lower their bound until what they found is as short', () => {
    const shortest = searched(new BreadthFirst(new CoreWorld(options))).actions!.length;
    expect(searched(new DepthFirst(new CoreWorld(options), { maxDepth: 40 })).actions).toHaveLength(shortest);
    const walked = searched(new RandomWalk(new CoreWorld(options), { maxDepth: 40, walks: 2000 }));
    expect(walked).toMatchObject({ end: 'violation', broken: { invariant: 'A3' } });
    expect(walked.actions).toHaveLength(shortest);
  });

  test('the way can be written as a trace, read and walked again', () => {
    const { actions, broken } = searched(new BreadthFirst(new CoreWorld(options)));
    const { core: _, ...world } = options;
    const trace = coreRunTrace({ options, bug: null, actions: actions!, broken }, '1.2.3', 'a test');
    const { header, records } = decodeTrace([...encodeTrace(trace.header, trace.records)]);
    expect(
      readCoreRun(
        header,
        [...records].map((record) => record),
      ),
    ).toEqual({ options: world, bug: null, actions, broken });
  });
});

test('a trace with a step that this build does not know is refused', () => {
  const { header } = coreRunTrace({ options: oneElection, bug: null, actions: [], broken: null }, '1', 'a test');
  const record = { kind: 'decision', at: 0, step: 0, action: { kind: 'fly', server: 'n1' } } as const;
  expect(() => readCoreRun(header, [record])).toThrow(TraceError);
  expect(() =>
    readCoreRun(
      { ...header, configuration: { ...header.configuration, options: { servers: 0, timing: 'order' } } },
      [],
    ),
  ).toThrow(/cannot be made/);
});

/** A core that says something else the second time it is asked. */
let asked = 0;
class Fickle extends Raft {
  override step(input: Input): void {
    asked += 1;
    if (asked % 2 === 0) this.state.log.cache.push(...this.state.log.cache);
    Object.assign(this.state, { preVoteRound: asked });
    super.step(input);
  }
  static override fromState(...[options, state]: Parameters<typeof Raft.fromState>): Raft {
    return new Fickle(options, { resumed: state });
  }
}

test('a core that is no function of its state and input is found by making steps twice', () => {
  const result = searched(
    new BreadthFirst(new CoreWorld({ ...oneElection, core: Fickle }), { repeatEvery: 1, maxDepth: 3 }),
  );
  expect(result).toMatchObject({ end: 'violation', broken: { invariant: 'M' } });
});

describe('what was not looked at is said', () => {
  test('behind the depth bound', () => {
    const result = searched(new BreadthFirst(new CoreWorld(oneElection), { maxDepth: 5 }));
    expect(result.end).toBe('depth');
    expect(result.cut).toEqual([
      expect.stringMatching(/^\d+ states at depth 5, the depth bound, were not gone on from$/),
    ]);
  });

  test('where prunes turned back, with their reasons', () => {
    const prune = {
      name: 'one leader is enough',
      reason: (world: CoreWorld) => (world.ghost.leaders.length > 0 ? 'there is one' : null),
    };
    const result = searched(new BreadthFirst(new CoreWorld(oneElection), { prunes: [prune] }));
    expect(result.end).toBe('exhausted');
    expect(result.cut).toEqual([
      expect.stringMatching(/^\d+ states were not gone on from, one leader is enough: there is one$/),
    ]);
  });

  test('when no more states can be remembered, or wait', () => {
    expect(searched(new BreadthFirst(new CoreWorld(oneElection), { maxStates: 100 }))).toMatchObject({
      end: 'states',
      states: 100,
    });
    expect(searched(new BreadthFirst(new CoreWorld(oneElection), { maxFrontier: 20 })).end).toBe('frontier');
  });

  test.each([{ maxStates: 0 }, { maxDepth: -1 }, { maxFrontier: 0.5 }, { repeatEvery: -1 }])(
    'limits that cannot be are refused: %o',
    (limits) => {
      expect(() => new BreadthFirst(new CoreWorld(oneElection), limits)).toThrow(RangeError);
    },
  );
});

describe('goals', () => {
  test('are reached by a shortest way', () => {
    const result = searched(new BreadthFirst(new CoreWorld(oneElection), { goal: goal('a leader', leads()) }));
    expect(result.end).toBe('goal');
    expect(result.actions!.map(({ kind }) => kind)).toEqual(['timeout', 'deliver', 'deliver']);
  });

  test('that are missed are told by what the nearest states lack', () => {
    const wanted = goal('two leaders and a third term', twoLeaders(), inTerm(3));
    const result = searched(new BreadthFirst(new CoreWorld(twoElections), { goal: wanted }));
    expect(result.end).toBe('exhausted');
    expect(result.nearest[0]!.misses).toEqual([{ part: 'a leader was elected in term 3 or later', distance: 1 }]);
  });

  test('an invariant of the search itself is looked at in every state', () => {
    const nobody = {
      name: 'nobody leads',
      broken: (world: CoreWorld) => (world.ghost.leaders.length > 0 ? 'somebody does' : null),
    };
    const result = searched(new BreadthFirst(new CoreWorld(oneElection), { invariants: [nobody] }));
    expect(result).toMatchObject({ end: 'violation', broken: { invariant: 'nobody leads', first: 'somebody does' } });
  });
});

test('a search in stages goes on from where the last goal was reached, under other rules', () => {
  const start = new CoreWorld({ ...twoElections, symmetry: false, budgets: { ...twoElections.budgets, cuts: 4 } });
  const search = new StagedSearch(start, [
    { name: 'n1 leads', goal: goal('n1 leads', leads('n1')) },
    {
      name: 'n1 is cut off, and another server leads as well',
      begin: ['n2', 'n3'].flatMap((other) => [
        { kind: 'cut' as const, from: 'n1', to: other },
        { kind: 'cut' as const, from: other, to: 'n1' },
      ]),
      forget: true,
      goal: goal('two leaders', twoLeaders()),
    },
    {
      name: 'it commits',
      budgets: { requests: 1 },
      begin: [{ kind: 'heal' }],
      goal: goal('two entries', committed(1)),
    },
  ]);
  const result = searched(search);
  expect(result.end).toBe('goal');
  expect(search.stages.map(({ stage, result: { end } }) => `${stage}: ${end}`)).toEqual([
    'n1 leads: goal',
    'n1 is cut off, and another server leads as well: goal',
    'it commits: goal',
  ]);
  // The way holds what the stages did, so it can be walked again from the very beginning.
  const again = explain(
    { ...twoElections, symmetry: false, budgets: { ...twoElections.budgets, cuts: 4 } },
    result.actions!,
  );
  expect(again.violation).toBeNull();
});
