import { type Command, InvalidArgumentError } from 'commander';

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
    .option('--verbose', 'with a failure, print what its servers logged last')
    .addHelpText(
      'after',
      `
The same seed and the same build always make the same run. A failure prints the one command that makes it again.

Exit codes: 0 nothing broke, 10 an invariant was broken, 11 a healed cluster was stuck, 12 the simulator or the product threw.

Examples:
  $ quorate sim --seeds 1000 --servers 5
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
A recording: every server's core runs from its checkpoint through its inputs. All that it says must be what was recorded, and where the
recording holds another checkpoint it must arrive at that state. Exit code 1, and the input, if this build goes another way.

Examples:
  $ quorate sim replay incident.json
  $ quorate sim replay a.quorate b.quorate`,
    )
    .action(async (paths: readonly string[]) => {
      const { runReplay } = await import('../commands/replay.ts');
      runReplay(paths);
    });
}

export interface SimFlags {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly servers?: number;
  readonly seconds?: number;
  readonly threads?: number;
  readonly verbose?: boolean;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a whole number.');
  return value;
}
