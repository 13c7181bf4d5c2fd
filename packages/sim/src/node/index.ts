export { type CampaignOptions, runCampaign } from './campaign.ts';
export * from '../index.ts';
export { readRecordings } from './flight-folder.ts';
export { readLines, writeLines } from './lines.ts';
export { BugError, loadBug, type LoadedBug } from './bugs.ts';
export { type ParallelSearchOptions, searchParallel } from './parallel-search.ts';
