import { type ClusterLayout, type LayoutMember, serverFlags } from './layout.ts';

/** A program that can serve as one server of a local cluster. */
export interface ServerProgram {
  readonly command: string;
  readonly args: (layout: ClusterLayout, member: LayoutMember, directory: string) => string[];
  readonly env: Readonly<Record<string, string>>;
}

/** `quorate serve`, which leaves when its parent does. `entry`: the file that the command `quorate` runs. */
export function serveProgram(
  entry: string,
  extraFlags: readonly string[] = [],
  nodeFlags: readonly string[] = [],
): ServerProgram {
  return {
    command: process.execPath,
    args: (layout, member, directory) => [
      ...nodeFlags,
      entry,
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
