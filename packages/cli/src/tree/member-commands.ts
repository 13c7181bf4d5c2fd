import type { Command } from 'commander';
import type { ChangeFlags, ChangeWishes } from '../commands/member.ts';
import type { ClientFlags } from '../commands/session.ts';
import { withClientFlags } from './client-flags.ts';

/** member, move-leader, leave: who belongs to the cluster, and who leads it. */
export function addMemberCommands(program: Command): void {
  const member = program.command('member').description('the servers of the cluster');
  addList(member);
  addAdd(member);
  addSimple(member);
  addUpdate(member);
  addReadmit(member);
  addChange(member);
  addMoveLeader(program);
  addLeave(program);
}

function addList(member: Command): void {
  const list = member
    .command('list')
    .description('list them')
    .addHelpText('after', '\nExample:\n  $ quorate member list -w table');
  withClientFlags(list).action(async (flags: ClientFlags) => {
    const { runMemberList } = await import('../commands/cluster.ts');
    await runMemberList(flags);
  });
}

function addAdd(member: Command): void {
  const add = member
    .command('add')
    .description('let a server in: as a learner at first, with a vote when it has caught up')
    .argument('<name>', 'what it is called')
    .requiredOption('--peer-urls <urls>', 'where its peers reach it')
    .option('--learner', 'without a vote until it is promoted')
    .option('--wait', 'stay until it votes, and say how far it is', false)
    .addHelpText(
      'after',
      `
Start the server before or afterwards, with quorate serve --join HOST:PORT; that alone does as well without this command.

Example:
  $ quorate member add d --peer-urls http://10.0.0.4:2380`,
    );
  withChangeFlags(add).action(async (name: string, flags: ChangeFlags & { peerUrls: string; learner?: boolean }) => {
    const { runMemberAdd } = await import('../commands/member.ts');
    await runMemberAdd(name, flags);
  });
}

const simple = [
  ['remove', 'let servers go; they hear of it and stop', 'quorate member remove a b'],
  ['promote', 'give learners a vote, when they have caught up', 'quorate member promote d'],
  ['demote', 'make learners of voters', 'quorate member demote a'],
] as const;

function addSimple(member: Command): void {
  for (const [op, description, example] of simple) {
    const command = member
      .command(op)
      .description(description)
      .argument('<members...>', 'names or ids')
      .option('--no-wait', 'do not stay until it is done')
      .addHelpText('after', `\nExample:\n  $ ${example}`);
    withChangeFlags(command).action(async (members: readonly string[], flags: ChangeFlags) => {
      const { runMemberSimple } = await import('../commands/member.ts');
      await runMemberSimple(op, members, flags);
    });
  }
}

function addUpdate(member: Command): void {
  const update = member
    .command('update')
    .description('change where peers reach a server; touches neither votes nor quorum')
    .argument('<member>', 'name or id')
    .requiredOption('--peer-urls <urls>', 'its addresses from now on')
    .option('--no-wait', 'do not stay until it is done')
    .addHelpText('after', '\nExample:\n  $ quorate member update a --peer-urls http://10.0.1.1:2380');
  withChangeFlags(update).action(async (name: string, flags: ChangeFlags & { peerUrls: string }) => {
    const { runMemberUpdate } = await import('../commands/member.ts');
    await runMemberUpdate(name, flags);
  });
}

function addReadmit(member: Command): void {
  const readmit = member
    .command('readmit')
    .description('count on a new data directory of a member that lost its disk')
    .argument('<member>', 'name or id')
    .requiredOption('--incarnation <hex>', 'the new directory, as /debug/raft of that server shows it')
    .option('--no-wait', 'do not stay until it votes again')
    .addHelpText(
      'after',
      `
quorate serve --join does this by itself.

Example:
  $ quorate member readmit c --incarnation e8b83cec2fd0fe8e`,
    );
  withChangeFlags(readmit).action(async (name: string, flags: ChangeFlags & { incarnation: string }) => {
    const { runMemberReadmit } = await import('../commands/member.ts');
    await runMemberReadmit(name, flags);
  });
}

function addChange(member: Command): void {
  const change = member
    .command('change')
    .description('any set of additions, removals, promotions and demotions as one change')
    .option('--add <name=url>', 'let a server in that is to vote; may be repeated', collect)
    .option('--add-learner <name=url>', 'let a server in without a vote; may be repeated', collect)
    .option('--remove <member>', 'let a server go; may be repeated', collect)
    .option('--promote <member>', 'give a learner a vote; may be repeated', collect)
    .option('--demote <member>', 'take its vote from a server; may be repeated', collect)
    .option('--update <member=url>', 'another peer address for a server; may be repeated', collect)
    .option('--no-wait', 'do not stay until the change is over')
    .addHelpText(
      'after',
      `
Newcomers catch up before anything changes for the voters; then the old voters and the new ones decide together for a moment, and
then the new ones alone. A change that has begun goes on by itself, whoever leads and whether this command is still there or not.

Examples:
  $ quorate member change --add d=http://10.0.0.4:2380 --add e=http://10.0.0.5:2380 --dry-run
  $ quorate member change --add d=http://10.0.0.4:2380 --remove a`,
    );
  withChangeFlags(change).action(async (flags: ChangeFlags & ChangeWishes) => {
    const { runMemberChange } = await import('../commands/member.ts');
    await runMemberChange(flags);
  });
}

function addMoveLeader(program: Command): void {
  const move = program
    .command('move-leader')
    .description('hand the leadership to another server')
    .argument('<member>', 'name or id of a voter')
    .addHelpText('after', '\nExample:\n  $ quorate move-leader b --endpoints 127.0.0.1:2379,127.0.0.1:22379');
  withClientFlags(move).action(async (target: string, flags: ClientFlags) => {
    const { runMoveLeader } = await import('../commands/member.ts');
    await runMoveLeader(target, flags);
  });
}

function addLeave(program: Command): void {
  const leave = program
    .command('leave')
    .description('take one server out of its cluster: it hands over, goes and stops')
    .option('--no-wait', 'do not stay until it is gone')
    .addHelpText('after', '\nExample:\n  $ quorate leave --endpoints 10.0.0.3:2379');
  withChangeFlags(leave).action(async (flags: ChangeFlags) => {
    const { runLeave } = await import('../commands/member.ts');
    await runLeave(flags);
  });
}

function withChangeFlags(command: Command): Command {
  return withClientFlags(command)
    .option('--dry-run', 'say what the membership would become, and do nothing')
    .option('--version <n>', 'refuse unless the membership still has this version');
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
