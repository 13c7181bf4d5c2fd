import { type Command, Option } from 'commander';
import { addExperimentCommand } from './experiment-command.ts';
import { atLeastOne, wholeNumber } from './whole-number.ts';

/** `quorate lab`: the classic course's suite for any Raft, and the experiments. */
export function addLabCommand(program: Command): void {
  const lab = program
    .command('lab')
    .description("the classic course's test suite, for our Raft or for yours; and experiments");
  lab
    .command('run')
    .description('run the suite, or a part of it')
    .option('--impl <path>', 'your Raft: a file, or a folder with raft.js; ours if not given')
    .option(
      '--exec <command>',
      'a key-value store in any language, in real time: a command that speaks lines of JSON (see docs/lab.md)',
    )
    .option(
      '--part <part>',
      'one part: 4A (election), 4B (log, persistence, bad networks), snapshots, kv (a key-value service) or beyond',
    )
    .option('--test <name...>', 'single tests, by name; --list prints the names')
    .option('--search', 'only the tests that try every order of events')
    .option('--no-search', 'none of those')
    .option('--list', 'print the tests and do nothing')
    .option('--seed <n>', 'what chance begins with; printed with every failure', wholeNumber, 1)
    .option('--runs <n>', 'run everything so often, each time with the next seed', atLeastOne, 1)
    .option(
      '--processes <n>',
      'processes side by side; one in real time, else as many as there are processors',
      atLeastOne,
    )
    .option('--real-time', 'let real time pass, so that the figures compare with those of other suites')
    .option(
      '--race',
      'look for races: values changed after they were sent or saved, results that depend on who is first',
    )
    .option('--compare', 'print published results of other Rafts beside these')
    .option('--grade <file>', "write points a test to this file, in the form of Gradescope's results.json")
    .option(
      '--page-dir <folder>',
      'where to write what is to be looked at of failures: traces for quorate debug, pages about answers that are not linearizable; by default a folder for temporary files',
    )
    .option('--verbose', 'with each test, where its time went and its calls by kind; print what your code prints')
    .addHelpText(
      'after',
      `
Virtual time passes as fast as it can be computed, and a seed always makes the same run. The line of a test is the classic one: seconds,
servers, RPCs, bytes, commands agreed on.

Exit codes: 0 all passed, 1 a test failed, 2 wrong usage.

Examples:
  $ quorate lab run
  $ quorate lab run --impl ./my-raft --part 4A
  $ quorate lab run --test Figure8 --runs 500
  $ quorate lab run --impl ./my-raft --search
  $ quorate lab run --impl ./my-raft --test Backup --seed 17 --verbose
  $ quorate lab run --impl ./my-raft --runs 3 --grade results.json
  $ quorate lab run --real-time --compare`,
    )
    .action(async (flags: LabRunFlags) => {
      if (flags.exec !== undefined) {
        const { runLabDoor } = await import('../commands/lab-door.ts');
        await runLabDoor(flags.exec, flags);
        return;
      }
      const { runLab } = await import('../commands/lab.ts');
      await runLab(flags);
    });
  lab
    .command('init')
    .description('write the skeleton of a Raft of your own into a new folder')
    .argument('<folder>', 'a folder that is empty, or that is to be made')
    .addOption(
      new Option(
        '--style <style>',
        'async: loops that sleep, calls that are awaited; handlers: a function for each event',
      )
        .choices(['async', 'handlers'])
        .default('async'),
    )
    .addHelpText(
      'after',
      `
Exit codes: 0 written, 2 wrong usage, or something is there already.

Examples:
  $ quorate lab init my-raft
  $ quorate lab init my-raft --style handlers`,
    )
    .action(async (folder: string, flags: LabInitFlags) => {
      const { initLab } = await import('../commands/lab-init.ts');
      initLab(folder, flags);
    });
  addExperimentCommand(lab);
}

export interface LabInitFlags {
  readonly style: 'async' | 'handlers';
}

export interface LabRunFlags {
  readonly impl?: string;
  readonly exec?: string;
  readonly part?: string;
  readonly test?: readonly string[];
  readonly search?: boolean;
  readonly list?: boolean;
  readonly seed: number;
  readonly runs: number;
  readonly processes?: number;
  readonly realTime?: boolean;
  readonly race?: boolean;
  readonly compare?: boolean;
  readonly grade?: string;
  readonly pageDir?: string;
  readonly verbose?: boolean;
}
