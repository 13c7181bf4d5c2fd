export * from './environment.ts';
export * from './state-machine.ts';
export * from './storage.ts';
