export { Coverage, neverSeen } from './coverage.ts';
export { type Situation, situations } from './situations.ts';
