import { type Command } from 'commander';
import { wholeNumber } from './whole-number.ts';

/** `quorate sim`: the simulator. */
export function addSimCommand(program: Command): void {
  const sim = program
    .command('sim')
    .description('run clusters in virtual worlds that break everything, and check that nothing broke')
    .option('--seeds <n>', 'how many runs', wholeNumber, 100)
    .option('--first-seed <n>', 'the seed of the first; the others count on from it', wholeNumber, 0)
    .option('--servers <n>', 'servers in every run; drawn from the seed if not given', wholeNumber)
    .option('--seconds <n>', 'virtual seconds of faults in every run; drawn from the seed if not given', wholeNumber)
    .option('--threads <n>', 'threads; as many as there are processors if not given', wholeNumber)
    .option(
      '--trace-dir <dir>',
      'write a trace of every failure there, for quorate debug and quorate sim replay and shrink; of the first five to a folder for temporary files if not given',
    )
    .option('--open', 'open the first failure in the debugger')
    .option('--verbose', 'with a failure, print what its servers logged last')
    .addHelpText(
      'after',
      `
The same seed and the same build always make the same run. A failure prints the one command that makes it again.

Exit codes: 0 nothing broke, 10 an invariant was broken, 11 a healed cluster was stuck, 12 the simulator or the product threw.

Examples:
  $ quorate sim --seeds 1000 --servers 5
  $ quorate sim --seeds 1000 --open
  $ quorate sim --seeds 1 --first-seed 345 --verbose`,
    );
  sim.action(async (flags: SimFlags) => {
    const { runSim } = await import('../commands/sim.ts');
    await runSim(flags);
  });
  sim
    .command('replay')
    .description('run a trace again, and say whether it goes as it went')
    .argument('<file-or-dir...>', 'a trace, or data directories with recordings')
    .addHelpText(
      'after',
      `
The trace of a failed run: the world is built again and its adversary does what it did. The same must be broken again.

A recording: every server's core runs from its checkpoint through its inputs. All that it says must be what was recorded, and where the
recording holds another checkpoint it must arrive at that state. Exit code 1, and the input, if this build goes another way.

Examples:
  $ quorate sim replay traces/seed-345.json
  $ quorate sim replay incident.json
  $ quorate sim replay a.quorate b.quorate`,
    )
    .action(async (paths: readonly string[]) => {
      const { runReplay } = await import('../commands/replay.ts');
      await runReplay(paths);
    });
  addShrinkCommand(sim);
}

function addShrinkCommand(sim: Command): void {
  sim
    .command('shrink')
    .description('make a run that breaks something smaller, until all that is left is what it takes')
    .argument('<file-or-seed>', 'the trace of a failed run, or its seed')
    .option('-o, --output <file>', 'where to write what is left; FILE.shrunk.json or seed-N.shrunk.json if not given')
    .option('--runs <n>', 'give up after so many runs', wholeNumber, 1000)
    .option('--servers <n>', 'with a seed: as given to quorate sim', wholeNumber)
    .option('--seconds <n>', 'with a seed: as given to quorate sim', wholeNumber)
    .addHelpText(
      'after',
      `
Faults are left out, ended earlier and calmed, clients and kinds of requests are left out, as long as the same invariant breaks. What is
left is printed, and written as a trace.

Examples:
  $ quorate sim shrink traces/seed-345.json
  $ quorate sim shrink 345 --servers 5 -o small.json`,
    )
    .action(async (what: string, flags: ShrinkFlags) => {
      const { runShrink } = await import('../commands/shrink.ts');
      runShrink(what, flags);
    });
}

export interface SimFlags {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly servers?: number;
  readonly seconds?: number;
  readonly threads?: number;
  readonly traceDir?: string;
  readonly open?: boolean;
  readonly verbose?: boolean;
}

export interface ShrinkFlags {
  readonly output?: string;
  readonly runs: number;
  readonly servers?: number;
  readonly seconds?: number;
}
