export * from './disk/index.ts';
export * from './history.ts';
export * from './random.ts';
export * from './watch.ts';
