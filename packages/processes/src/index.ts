export { askPage, PageError } from './http.ts';
export {
  clientAddress,
  type ClusterLayout,
  endpoints,
  type LayoutMember,
  logFile,
  memberDirectory,
  peerUrl,
  readLayout,
  removeCluster,
  writeLayout,
} from './layout.ts';
export { LocalCluster, type LocalServer, layoutOnFreePorts } from './local-cluster.ts';
export { ManagedProcess, type ProcessExit, type ProcessSpec } from './managed-process.ts';
export { choosePorts, freePorts, isFree, LOOPBACK } from './ports.ts';
export { etcdProgram, serveProgram, type ServerProgram } from './programs.ts';
export { type RaftPage, raftPage } from './raft-page.ts';
export { isAlive, makeRunDirectory, removeAbandoned } from './run-directory.ts';
