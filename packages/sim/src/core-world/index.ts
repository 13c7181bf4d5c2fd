export { type CoreAction, describeAction } from './action.ts';
export { copyState } from './copy-state.ts';
export { describeMessage } from './describe-message.ts';
export type { CoreSnapshot, DiskImage, Machine } from './disk.ts';
export type { Ghost } from './ghost.ts';
export type { CoreOperation } from './operations.ts';
export {
  type BudgetName,
  budgetNames,
  type Budgets,
  type ChangeOffer,
  type CoreWorldOptions,
  type Delays,
  maxServers,
  type Setting,
  smallBudgets,
  type Span,
  unboundedBudgets,
} from './options.ts';
export { Encoder } from './encoding.ts';
export { finish, type Lanes, mixA, mixB } from './lanes.ts';
export {
  type ArmedTimer,
  atRest,
  type CoreServer,
  ranked,
  runsOutBefore,
  type ServerStatus,
  type TimerOrder,
} from './server.ts';
export type { Broken } from './surroundings.ts';
export { type Durability, type EntryView, type FollowerView, type ServerView, type TimerView, viewOf } from './view.ts';
export { ActionError, type Flight, type StepReport } from './report.ts';
export { CoreWorld } from './world.ts';
