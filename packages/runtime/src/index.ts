export * from './environment.ts';
export * from './observer.ts';
export { openStorage } from './open-storage.ts';
export * from './state-machine.ts';
export * from './storage.ts';
export { defaultStorageOptions, type StorageOptions } from './storage-options.ts';
