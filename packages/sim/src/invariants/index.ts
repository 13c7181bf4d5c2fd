export { Invariants, type InvariantsOptions } from './invariants.ts';
