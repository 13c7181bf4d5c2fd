// `npm run build`: the compiler for every package, then the bundler for the debugger's page.
import { bin, show } from './lib/run.mjs';

const isCompiled = await show(bin('tsc'), ['-b']);
const isBundled = isCompiled && (await show(bin('vite'), ['build', '--config', 'packages/debugger/vite.config.mjs']));
if (!isBundled) process.exitCode = 1;
