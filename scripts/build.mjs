// `npm run build`: the compiler for every package, the cores with a mistake in them, then the bundler for the debugger's page.
//
//   node scripts/build.mjs --plain   without those cores: they need git, and nobody needs them to serve
import { bin, show } from './lib/run.mjs';

const steps = [
  [bin('tsc'), ['-b']],
  ...(process.argv.includes('--plain') ? [] : [[process.execPath, ['packages/sim/scripts/bugs.mjs']]]),
  [bin('vite'), ['build', '--config', 'packages/debugger/vite.config.mjs']],
];
for (const [command, args] of steps) {
  if (await show(command, args)) continue;
  process.exitCode = 1;
  break;
}
