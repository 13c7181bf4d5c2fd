import { fileURLToPath } from 'node:url';
import { type ClusterLayout, type LayoutMember, serverFlags } from './layout.ts';

/** A program that can serve as one server of a local cluster. */
export interface ServerProgram {
  readonly command: string;
  readonly args: (layout: ClusterLayout, member: LayoutMember, directory: string) => string[];
  readonly env: Readonly<Record<string, string>>;
}

/** This very command: the same path whether we run from source (tests) or from dist. It runs what was built. */
export const QUORATE_ENTRY = fileURLToPath(new URL('../../bin/quorate.cjs', import.meta.url));

/** `quorate serve`, which leaves when its parent does. */
export function quorateProgram(extraFlags: readonly string[] = [], nodeFlags: readonly string[] = []): ServerProgram {
  return {
    command: process.execPath,
    args: (layout, member, directory) => [
      ...nodeFlags,
      QUORATE_ENTRY,
      'serve',
      ...serverFlags(layout, member, directory),
      '--stop-with-parent',
      ...extraFlags,
    ],
    env: {},
  };
}

/** etcd as Debian packages it, to compare with. It does not watch its parent: whoever starts it must stop it. */
export function etcdProgram(command: string): ServerProgram {
  return {
    command,
    args: (layout, member, directory) => [...serverFlags(layout, member, directory), '--log-level', 'error'],
    env: { ETCD_UNSUPPORTED_ARCH: process.arch },
  };
}
