/** `npm run acceptance -- NAME`: the campaigns against real processes, longer than what `npm test` runs of them. */
import { Command } from 'commander';
import { oversized, rubbish } from './bad-input.ts';
import { churn } from './churn.ts';
import { blockedPool, bulk, poolLatency, stall } from './event-loop.ts';
import { longLog } from './long-log.ts';
import { growAndShrink, replaceAll } from './membership.ts';
import { outage } from './outage.ts';
import { partition } from './partition.ts';
import { fullDisk } from './full-disk.ts';
import { flippedBit, restartAll, snapshotCatchUp, tornTail } from './recovery.ts';
import { atLeastOne } from '../tree/whole-number.ts';

const program = new Command('acceptance').description('Campaigns against clusters of real processes on this machine.');

program
  .command('churn')
  .description('clients write and read while servers are killed with -9 and restarted')
  .option('--seconds <n>', 'how long', atLeastOne, 60)
  .option('--servers <n>', 'servers', atLeastOne, 5)
  .option('--clients <n>', 'clients', atLeastOne, 16)
  .action(async (flags: Record<'seconds' | 'servers' | 'clients', number>) => {
    await churn({ ...flags, report });
  });
program
  .command('failover')
  .description('leaders are killed with -9, one after the other: how long no write is committed')
  .option('--seconds <n>', 'how long', atLeastOne, 600)
  .option('--servers <n>', 'servers', atLeastOne, 3)
  .option('--clients <n>', 'clients', atLeastOne, 4)
  .action(async (flags: Record<'seconds' | 'servers' | 'clients', number>) => {
    await churn({ ...flags, leadersOnly: true, report });
  });
program
  .command('outage')
  .description('two of five killed, a third, one back')
  .action(() => outage({ report }));
program
  .command('partition')
  .description('a leader is cut off and returns')
  .action(() => partition({ report }));
program
  .command('snapshot')
  .description('a follower down past the compaction point comes back by snapshot')
  .action(() => snapshotCatchUp({ report }));
program
  .command('restart')
  .description('all servers stopped at once, politely and with -9, and started again')
  .action(() => restartAll({ report }));
program
  .command('torn')
  .description('a torn last batch is dropped')
  .action(() => tornTail({ report }));
program
  .command('flipped-bit')
  .description('a flipped bit in a log: the entry comes from the others; in a header, the server stops')
  .action(() => flippedBit({ report }));
program
  .command('long-log')
  .description('memory stays flat while entries of 1 KiB go through the log')
  .option('--entries <n>', 'entries', atLeastOne, 1_000_000)
  .action((flags: { readonly entries: number }) => longLog({ ...flags, report }));
program
  .command('stall')
  .description('a follower standing still for 1.5 s changes no term')
  .action(() => stall({ report }));
program
  .command('bulk')
  .description('writing, ranging over and deleting many keys causes no election')
  .option('--keys <n>', 'keys', atLeastOne, 1_000_000)
  .action((flags: { readonly keys: number }) => bulk({ ...flags, report }));
program
  .command('pool')
  .description('saturated libuv pools: puts go on, and what their p99 becomes')
  .option('--seconds <n>', 'of each measurement', atLeastOne, 10)
  .action(async (flags: { readonly seconds: number }) => {
    await blockedPool({ report });
    await poolLatency({ ...flags, report });
  });
program
  .command('full-disk')
  .description('a disk that fills within a second refuses puts, keeps serving and recovers by itself (root, Linux)')
  .action(() => fullDisk({ report }));
program
  .command('membership')
  .description('servers come and go under load: three become nine, all are replaced, the leader leaves, a disk is lost')
  .option('--clients <n>', 'clients', atLeastOne, 8)
  .action(async (flags: { readonly clients: number }) => {
    await growAndShrink({ ...flags, report });
    await replaceAll({ ...flags, report });
  });
program
  .command('oversized')
  .description('requests that are too large are refused')
  .action(() => oversized({ report }));
program
  .command('rubbish')
  .description('a fuzzer on client and peer ports')
  .option('--seconds <n>', 'how long', atLeastOne, 60)
  .option('--seed <n>', 'seed of the rubbish', atLeastOne, Date.now() % 1_000_000)
  .action((flags: { readonly seconds: number; readonly seed: number }) => rubbish({ ...flags, report }));

await program.parseAsync();

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
