export * from './environment.ts';
export * from './observer.ts';
export * from './state-machine.ts';
export * from './storage.ts';
