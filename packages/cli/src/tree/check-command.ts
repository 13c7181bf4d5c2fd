import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { atLeastOne, wholeNumber } from './whole-number.ts';

/** `quorate check`: the model checker. */
export function addCheckCommand(program: Command): void {
  const check = program
    .command('check')
    .description('search every order of events of a small cluster for one that breaks a rule of Raft')
    .option('--servers <n>', 'voters of the cluster', atLeastOne, 3)
    .option('--learners <n>', 'learners of the cluster', wholeNumber, 0)
    .option('--spares <n>', 'servers that wait to be let in, for --max-changes', wholeNumber, 0)
    .addOption(new Option('--engine <engine>', 'how to search').choices(['bfs', 'dfs', 'walk']).default('bfs'))
    .option(
      '--bug <name>',
      'search a core with a mistake in it, in the world made for it; --list-bugs prints the names',
    )
    .option('--list-bugs', 'print the mistakes that there are and do nothing');
  addBudgets(check);
  addWorld(check);
  addLimits(check);
  check.addHelpText('after', HELP).action(async (flags: CheckFlags, command: Command) => {
    const { runCheck } = await import('../commands/check.ts');
    const given = command.options.map((option) => option.attributeName());
    await runCheck(
      flags,
      given.filter((name) => command.getOptionValueSource(name) === 'cli'),
    );
  });
  check
    .command('replay')
    .description('walk a trace of a search again, step by step, and say whether the same breaks')
    .argument('<file>', 'a trace that quorate check has written')
    .action(async (path: string) => {
      const { runCheckReplay } = await import('../commands/check-replay.ts');
      await runCheckReplay(path);
    });
}

function addBudgets(check: Command): void {
  check
    .option('--max-term <n>', 'the highest term that an election may begin', wholeNumber, 1)
    .option('--max-elections <n>', 'election timers that run out', wholeNumber, 1)
    .option('--max-stickiness <n>', 'stickiness timers that do', wholeNumber, 0)
    .option('--max-heartbeats <n>', 'heartbeat timers that do', wholeNumber, 0)
    .option('--max-requests <n>', 'commands of clients', wholeNumber, 1)
    .option('--max-reads <n>', 'reads of clients', wholeNumber, 0)
    .option('--max-crashes <n>', 'servers that crash, and may restart', wholeNumber, 0)
    .option('--max-snapshots <n>', 'snapshots that servers take', wholeNumber, 0)
    .option('--max-changes <n>', 'changes of membership', wholeNumber, 0)
    .option('--max-transfers <n>', 'transfers of leadership', wholeNumber, 0)
    .option('--max-duplicates <n>', 'messages that are doubled', wholeNumber, 0);
}

function addWorld(check: Command): void {
  check
    .addOption(
      new Option('--disk <when>', 'whether a write takes a step of its own, or is durable at once')
        .choices(['steps', 'at-once'])
        .default('steps'),
    )
    .option('--no-prevote', 'without PreVote, CheckQuorum and stickiness: the election of the paper alone')
    .option('--no-torn', 'a crash loses every write that is under way, never some of them only')
    .option('--lose <kind...>', 'kinds of messages that never arrive, for example heartbeat heartbeatReply')
    .option(
      '--no-symmetry',
      'tell states apart that differ only in which server is called what; with PreVote they always are',
    );
}

function addLimits(check: Command): void {
  check
    .option('--depth <n>', 'steps from the beginning; no bound if not given, 60 for dfs and walk', wholeNumber)
    .option('--max-states <n>', 'states to remember; each takes 30 to 60 bytes', atLeastOne, 20_000_000)
    .option('--max-frontier <n>', 'states that may wait, with bfs; each takes about a kilobyte', atLeastOne, 1_000_000)
    .option('--seconds <n>', 'stop after so many seconds', atLeastOne)
    .option(
      '--threads <n>',
      'threads for bfs without a goal; as many as there are processors if not given',
      atLeastOne,
      availableParallelism(),
    )
    .option('--seed <n>', 'what dfs and walk draw from', wholeNumber)
    .option('--walks <n>', 'how many walks', atLeastOne, 10_000)
    .option('--goal <part...>', 'end where all of these hold: leader, two-leaders, term:N, committed:N, applied:N')
    .option('--trace <file>', 'where to write the way that was found; check-INVARIANT.json if not given')
    .option('--open', 'show the way that was found in the debugger, until Ctrl-C');
}

const HELP = `
Every state that the servers, their disks and the messages between them can be in is visited once, level by level, so that what breaks is
found by a shortest way. There is no clock: a timer may run out unless another of the same server has to run out before it. Budgets make
the space finite; what a search exhausted it has proved within them, and the last lines say what was cut.

After each step the rules of docs/invariants.md that a state can show are checked: election safety, log matching, leader completeness,
state machine safety, persist before promise, one change at a time, reads that see all that was committed.

Exit codes: 0 nothing broke, 10 a rule was broken, 13 the goal was not reached.

Examples:
  $ quorate check
  $ quorate check --max-term 2 --max-elections 2 --no-prevote --lose heartbeat heartbeatReply
  $ quorate check --bug figure8 --open
  $ quorate check --engine walk --max-crashes 2 --max-requests 3 --max-elections 6 --max-term 5 --seconds 30
  $ quorate check replay check-C6.json`;

export interface CheckFlags {
  readonly servers: number;
  readonly learners: number;
  readonly spares: number;
  readonly engine: 'bfs' | 'dfs' | 'walk';
  readonly bug?: string;
  readonly listBugs?: boolean;
  readonly maxTerm: number;
  readonly maxElections: number;
  readonly maxStickiness: number;
  readonly maxHeartbeats: number;
  readonly maxRequests: number;
  readonly maxReads: number;
  readonly maxCrashes: number;
  readonly maxSnapshots: number;
  readonly maxChanges: number;
  readonly maxTransfers: number;
  readonly maxDuplicates: number;
  readonly disk: 'steps' | 'at-once';
  readonly prevote: boolean;
  readonly torn: boolean;
  readonly lose?: readonly string[];
  readonly symmetry: boolean;
  readonly depth?: number;
  readonly maxStates: number;
  readonly maxFrontier: number;
  readonly seconds?: number;
  readonly seed?: number;
  readonly walks: number;
  readonly threads: number;
  readonly goal?: readonly string[];
  readonly trace?: string;
  readonly open?: boolean;
}
