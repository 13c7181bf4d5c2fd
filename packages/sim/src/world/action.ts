/**
 * What is done to a world: the decisions of its adversary. Each says all that it takes to be done again, so the list of a run's
 * actions is its trace; what else happens follows from the seed.
 */
import type { MemberChange } from '@quorate/raft';
import type { CrashKind, DiskFaults } from '../disk/index.ts';
import type { CutKind, NetworkFaults } from './network.ts';
import type { World } from './world.ts';

/** `step`: the world's steps before it, which tells its place among what happens in the same microsecond. */
export type Action = { readonly at: number; readonly step: number } & ActionKind;

export type ActionKind =
  | { readonly kind: 'crash'; readonly server: string; readonly how: CrashKind }
  | { readonly kind: 'start'; readonly server: string }
  | { readonly kind: 'pause'; readonly server: string }
  | { readonly kind: 'resume'; readonly server: string }
  | { readonly kind: 'cut'; readonly from: string; readonly to: string; readonly how: CutKind }
  | { readonly kind: 'clog'; readonly from: string; readonly to: string; readonly micros: number }
  | { readonly kind: 'reset'; readonly from: string; readonly to: string }
  | { readonly kind: 'heal' }
  | { readonly kind: 'network'; readonly faults: NetworkFaults }
  | { readonly kind: 'disk'; readonly server: string; readonly faults: DiskFaults }
  | { readonly kind: 'stallDisk'; readonly server: string; readonly micros: number }
  /** Of its disk, the log's queue alone: what is written beside it goes on. */
  | { readonly kind: 'stallLog'; readonly server: string; readonly micros: number }
  | { readonly kind: 'rot'; readonly server: string }
  /** The data of that entry rots in the server's log. */
  | { readonly kind: 'spoil'; readonly server: string; readonly index: number }
  /** It comes back with an empty one, and is told that its cluster is to be founded, or that it exists. */
  | { readonly kind: 'loseDisk'; readonly server: string; readonly state: 'new' | 'existing' }
  /** The server has left the cluster, and begins anew on an empty directory, to be let in again. */
  | { readonly kind: 'reformat'; readonly server: string }
  /** A client of that server wants the membership changed. */
  | { readonly kind: 'change'; readonly server: string; readonly changes: readonly MemberChange[] }
  /** The server is to hand over its leadership; '' for the target: to whoever is closest behind. */
  | { readonly kind: 'transfer'; readonly server: string; readonly target: string }
  /** Others leave so many bytes of the server's volume. */
  | { readonly kind: 'fill'; readonly server: string; readonly left: number }
  | { readonly kind: 'free'; readonly server: string }
  | { readonly kind: 'stepClock'; readonly server: string; readonly millis: number };

/** Does it, as far as the world's state allows; false if there was nothing to do. */
export function carryOut(world: World, action: ActionKind): boolean {
  world.audience.onAction(action);
  switch (action.kind) {
    case 'heal':
      world.network.heal();
      return true;
    case 'network':
      world.network.faults = action.faults;
      return true;
    case 'cut':
      world.network.cut(action.from, action.to, action.how);
      return true;
    case 'clog':
      world.network.clog(action.from, action.to, world.clock.now + action.micros);
      return true;
    case 'reset':
      world.network.reset(action.from, action.to);
      return true;
    default:
      return carryOutOnServer(world, action);
  }
}

function carryOutOnServer(world: World, action: Extract<ActionKind, { readonly server: string }>): boolean {
  const server = world.server(action.server);
  switch (action.kind) {
    case 'crash':
      if (!server.isHeld) return false;
      server.crash(action.how);
      return true;
    case 'start':
      if (server.isRunning) return false;
      server.start();
      return true;
    case 'pause':
      if (!server.isRunning || server.isPaused) return false;
      server.pause();
      return true;
    case 'resume':
      if (!server.isPaused) return false;
      server.resume();
      return true;
    case 'disk':
      server.setDiskFaults(action.faults);
      return true;
    case 'stallDisk':
      server.stallDisk(action.micros);
      return true;
    case 'stallLog':
      server.stallLog(action.micros);
      return true;
    case 'spoil':
      return server.spoil(action.index);
    case 'rot':
      // Also where nothing was to be destroyed: chance was asked where, and will be when this is done again.
      server.rot();
      return true;
    case 'loseDisk':
      if (server.isHeld) return false;
      server.loseDisk(action.state);
      return true;
    case 'reformat':
      if (server.isHeld) return false;
      server.loseDisk('existing');
      return true;
    case 'change':
      if (server.node === null) return false;
      server.node.changeMembersWith(action.changes, null, ignore);
      return true;
    case 'transfer':
      if (server.node === null) return false;
      server.node.transferLeadershipWith(action.target === '' ? null : action.target, ignore);
      return true;
    case 'fill':
      server.volume.others = Math.max(0, server.volume.others + server.volume.free - action.left);
      return true;
    case 'free':
      server.volume.others = 0;
      return true;
    case 'stepClock':
      server.stepClock(action.millis);
      return true;
  }
}

function ignore(): void {
  // What comes of it, the invariants see.
}
