export * from './consensus.ts';
export * from './rpc.ts';
