export { openNodeDisk } from './disk.ts';
export { type NodeEnvironmentOptions, nodeEnvironment } from './environment.ts';
export { stderrLogger } from './logger.ts';
export { tcpNetwork } from './tcp-network.ts';
