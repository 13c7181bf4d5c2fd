/** Each judge of the core world notices what it is there for: a core is made to do it, and a search has to come by. Others: bugs.test.ts. */
import { type Input, InvariantViolation, Raft, type RaftState, type RecoveredState } from '@quorate/raft';
import { describe, expect, test } from 'vitest';
import { BreadthFirst, type Broken, CoreWorld, type CoreWorldOptions } from '../src/index.ts';

type State = { -readonly [Field in keyof RaftState]: RaftState[Field] };
type Deed = (state: State, input: Input) => void;

/** A core that does something of its own right after every input, or when it starts. */
function coreThat({
  afterStep = () => undefined,
  atStart = () => undefined,
}: {
  afterStep?: Deed;
  atStart?: (state: State, found: RecoveredState) => void;
}): typeof Raft {
  return class Wrong extends Raft {
    constructor(...[options, recovered]: ConstructorParameters<typeof Raft>) {
      super(options, recovered);
      if (!('resumed' in recovered)) atStart(this.state, recovered);
    }
    override step(input: Input): void {
      super.step(input);
      afterStep(this.state, input);
    }
    static override fromState(...[options, state]: Parameters<typeof Raft.fromState>): Raft {
      return new Wrong(options, { resumed: state });
    }
  };
}

function firstBroken(core: typeof Raft, budgets: CoreWorldOptions['budgets'] = {}): Broken | null {
  const world = new CoreWorld({
    servers: 3,
    timing: 'order',
    disk: 'atOnce',
    lost: ['heartbeat', 'heartbeatReply'],
    raft: { stableLeadership: false },
    budgets: { terms: 2, elections: 2, requests: 0, stickiness: 0, ...budgets },
    core,
  });
  const search = new BreadthFirst(world, { repeatEvery: 0 });
  while (!search.advance(10_000));
  return search.result().broken;
}

describe('a core that', () => {
  test('goes back to an earlier term breaks A1', () => {
    const core = coreThat({
      afterStep: (state, input) => {
        if (input.kind === 'message' && input.message.kind === 'appendEntries' && input.message.term === 2)
          state.term = 1;
      },
    });
    expect(firstBroken(core)?.invariant).toBe('A1');
  });

  test('takes back what it knows to be committed breaks C2', () => {
    const core = coreThat({
      afterStep: (state, input) => {
        if (input.kind === 'message' && input.message.kind === 'requestVote') state.commitIndex = 0;
      },
    });
    expect(firstBroken(core)?.invariant).toBe('C2');
  });

  test('commits what nobody has committed breaks C5', () => {
    const core = coreThat({
      afterStep: (state) => {
        if (state.role === 'follower') state.commitIndex = state.log.lastIndex;
      },
    });
    expect(firstBroken(core)).toMatchObject({ invariant: 'C5', first: 'nobody has committed entry 1' });
  });

  test('starts without the vote that is on its disk breaks D2', () => {
    const core = coreThat({ atStart: (state) => void (state.vote = null) });
    const broken = firstBroken(core, { crashes: 1 });
    expect(broken?.invariant).toBe('D2');
    expect(broken?.second).toMatch(/^it starts with term 1, a vote for nobody/);
  });

  test('begins a second change before the first is committed breaks F2', () => {
    const core = coreThat({
      afterStep: (state) => {
        const [now] = state.configurations;
        if (state.role !== 'leader' || now === undefined || state.configurations.length > 1) return;
        const changed = (index: number, voters: readonly string[]): typeof now => ({ ...now, index, voters });
        state.configurations = [now, changed(5, ['n1', 'n2']), changed(6, ['n1'])];
      },
    });
    const broken = firstBroken(core);
    expect(broken?.invariant).toBe('F2');
    expect(broken?.second).toMatch(/another in entry 6/);
  });

  test('breaks an invariant of its own stops, and breaks H6', () => {
    const core = coreThat({
      afterStep: (_, input) => {
        if (input.kind === 'message') throw new InvariantViolation('a letter came');
      },
    });
    expect(firstBroken(core)).toMatchObject({ invariant: 'H6', second: 'its core stops: a letter came' });
  });

  test('throws anything else is no finding: that is a mistake here', () => {
    const core = coreThat({
      afterStep: (_, input) => {
        if (input.kind === 'message') throw new TypeError('no such letter');
      },
    });
    expect(() => firstBroken(core)).toThrow('no such letter');
  });
});

test('what is not to be judged is not spoken of', () => {
  const core = coreThat({
    afterStep: (state) => {
      if (state.role === 'follower') state.commitIndex = state.log.lastIndex;
    },
  });
  const options: CoreWorldOptions = { servers: 1, timing: 'order', disk: 'atOnce', core };
  const world = new CoreWorld({
    ...options,
    servers: 3,
    lost: ['heartbeat'],
    raft: { stableLeadership: false },
    unjudged: ['C5'],
  });
  const search = new BreadthFirst(world, { maxDepth: 6, repeatEvery: 0 });
  while (!search.advance(10_000));
  expect(search.result().broken?.invariant).not.toBe('C5');
});
