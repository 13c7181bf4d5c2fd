// Which room may import which. The tables are the law of docs/architecture.md; scripts/check-imports.mjs enforces them.

/** What each package may import of the house. 'kv/api' is that entry alone; a package's name is all of its entries. */
export const ARROWS = {
  raft: [],
  runtime: ['raft'],
  kv: [],
  server: ['raft', 'runtime', 'kv'],
  client: ['kv/api'],
  sim: ['raft', 'runtime', 'kv'],
  lab: ['raft', 'runtime', 'kv', 'sim', 'client'],
  debugger: ['raft', 'sim'],
  processes: [],
  evaluation: ['raft', 'runtime', 'kv', 'client', 'sim', 'processes'],
  cli: ['raft', 'runtime', 'kv', 'server', 'client', 'sim', 'lab', 'debugger', 'processes', 'evaluation'],
};

/** Sources that run anywhere, and so import no `node:` module, no third party, and nothing that does. */
export const PURE = [
  { folder: 'packages/raft/src/' },
  { folder: 'packages/kv/src/' },
  { folder: 'packages/runtime/src/', except: 'packages/runtime/src/node/' },
  { folder: 'packages/sim/src/', except: 'packages/sim/src/node/' },
  { folder: 'packages/debugger/src/engine/' },
];

/** Sources that a bundler makes a page of: what they import is in the bundle. */
const BUNDLED = ['packages/debugger/src/page/', 'packages/debugger/src/worker/'];
export const isBundled = (path) => BUNDLED.some((folder) => path.startsWith(folder));

export const isPure = (path) =>
  PURE.some(({ folder, except }) => path.startsWith(folder) && !(except && path.startsWith(except)));

/** 'packages/kv/src/api/index.ts' -> 'kv'; null outside the packages. */
export const roomOf = (path) => /^packages\/([^/]+)\//.exec(path)?.[1] ?? null;

/** '@quorate/kv/api' -> { room: 'kv', entry: 'kv/api' }; null for anything that is not of the house. */
export function houseImport(specifier) {
  const [, room, rest = ''] = /^@quorate\/([^/]+)(\/.+)?$/.exec(specifier) ?? [];
  return room === undefined ? null : { room, entry: room + rest };
}
