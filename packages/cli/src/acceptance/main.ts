/** `npm run acceptance -- NAME`: the campaigns against real processes, longer than what `npm test` runs of them. */
import { Command } from 'commander';
import { churn } from './churn.ts';
import { outage } from './outage.ts';

const program = new Command('acceptance').description('Campaigns against clusters of real processes on this machine.');

program
  .command('churn')
  .description('clients write and read while servers are killed with -9 and restarted')
  .option('--seconds <n>', 'how long', '60')
  .option('--servers <n>', 'servers', '5')
  .option('--clients <n>', 'clients', '16')
  .action(async (flags: Record<'seconds' | 'servers' | 'clients', string>) => {
    await churn({
      servers: Number(flags.servers),
      clients: Number(flags.clients),
      seconds: Number(flags.seconds),
      report,
    });
  });

program
  .command('outage')
  .description('two of five killed, a third, one back')
  .action(() => outage({ report }));

await program.parseAsync();

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
