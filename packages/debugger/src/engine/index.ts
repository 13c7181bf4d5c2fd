/** The engine of the debugger: what the page's worker runs, for whoever wants it without a page. */
export { Engine } from './engine.ts';
export type { Host } from './host.ts';
export * from './protocol.ts';
export { Session } from './session.ts';
export type { RunSetup, Setup } from './setup.ts';
