// Prints the Debian packages of the peers that are not on PATH, separated by blanks. `.ci/run` installs them.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const peers = JSON.parse(readFileSync(new URL('../test-support/peers.json', import.meta.url), 'utf8'));
const path = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
const missing = Object.values(peers).filter(({ binary }) => !path.some((each) => existsSync(join(each, binary))));
console.log([...new Set(missing.map((peer) => peer.package))].join(' '));
