export { type BudgetOptions, DamageBudget } from './budget.ts';
export * from './damage-policy.ts';
export {
  defaultDiskTiming,
  type DiskFaultKind,
  diskFaultKinds,
  type DiskFaults,
  type DiskTiming,
  healthyDisk,
} from './faults.ts';
export type { DiskScheduler } from './queue.ts';
export { type CrashKind, VirtualDisk, type VirtualDiskOptions } from './virtual-disk.ts';
export { Volume } from './volume.ts';
