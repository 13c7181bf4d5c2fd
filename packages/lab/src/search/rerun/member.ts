/** One server of a cluster that is run again and again, what a step brings of it, and what of it a later run can go on from. */
import type { Broken } from '@quorate/sim';
import type { LabPersister } from '../../cluster/lab-persister.ts';
import type { ApplyMessage, PlainData, RaftServer } from '../../interface.ts';
import type { Allowance } from '../allowance.ts';
import type { LabGhost } from '../ghost.ts';
import type { LabFlight, LabMessage } from '../message.ts';
import type { SearchedServer } from '../server.ts';
import type { Spent } from '../spent.ts';
import type { LocalClock } from './local-clock.ts';

/** One server, from its start to its crash. */
export interface Life {
  raft: RaftServer | null;
  readonly clock: LocalClock;
}

export interface Member {
  shown: SearchedServer;
  life: Life | null;
  persister: LabPersister;
  /** The last index that the service has handed over a snapshot of, or got one of. */
  snapshotIndex: number;
}

export interface Sent extends LabFlight {
  /** Whoever called waits here. */
  readonly resolve: (answer: PlainData) => void;
}

/** What a step has brought so far. */
export interface Effects {
  readonly server: number;
  readonly calls: LabMessage[];
  readonly applied: ApplyMessage[];
  answer: PlainData;
  hasSaved: boolean;
}

/** A moment that a run can go on from. */
export interface Rest {
  readonly members: readonly RestingMember[];
  readonly allowance: Allowance;
  readonly ghost: LabGhost;
  readonly sides: readonly number[];
  readonly spent: Spent;
  /** Messages, commands and draws so far. */
  readonly counts: readonly [number, number, number];
}

export interface RestingMember extends Pick<Member, 'shown' | 'persister' | 'snapshotIndex'> {
  /** What its `save` told; null while it is down. */
  readonly inside: PlainData;
}

/** A server that was loaded is to say of itself what it said when it was saved. */
export function badlyLoaded(saved: SearchedServer, loaded: SearchedServer): Broken | null {
  const tell = ({ term, isLeader }: SearchedServer): string => `term ${term}${isLeader ? ', leader' : ''}`;
  if (tell(saved) === tell(loaded)) return null;
  const first = `getState of server ${saved.id} said ${tell(saved)} when save was called`;
  return { invariant: 'load restores what save told', first, second: `behind load it says ${tell(loaded)}` };
}

export function noEffects(server: number): Effects {
  return { server, calls: [], applied: [], answer: null, hasSaved: false };
}

export function isNoticed({ calls, applied, hasSaved }: Effects): boolean {
  return calls.length > 0 || applied.length > 0 || hasSaved;
}
