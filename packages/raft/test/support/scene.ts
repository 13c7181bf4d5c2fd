/** Short hands for tests that set a scene: clusters by size, messages by hand. */
import type { Entry, Envelope, Index, MemberId, Message, Outgoing, RaftDefaults, Term } from '../../src/index.ts';
import { EntryKind } from '../../src/index.ts';
import { checkedCluster } from './checked.ts';
import { Cluster } from './cluster.ts';
import { configuration, firstIncarnation, memberNames, type Shape } from './configurations.ts';
import { type Past, preload } from './preload.ts';
import type { TestServer } from './server.ts';

export interface Scene {
  readonly shape?: Shape;
  readonly options?: Partial<RaftDefaults>;
  readonly pasts?: Readonly<Record<MemberId, Past>>;
}

/** A started cluster of n1 … n`size`, judged after every step. */
export function cluster(size: number, scene: Scene = {}): Cluster {
  const shape = scene.shape ?? { voters: memberNames(size) };
  const checked = checkedCluster({
    configuration: configuration(shape),
    ...(scene.options ? { options: scene.options } : {}),
  });
  for (const [id, past] of Object.entries(scene.pasts ?? {})) {
    preload(checked.cluster, checked.ghosts, id, past);
  }
  return checked.cluster.start();
}

/** The same without a judge, for peers that say what no correct server would. */
export function lawless(size: number, scene: Scene = {}): Cluster {
  const shape = scene.shape ?? { voters: memberNames(size) };
  const found = new Cluster({
    configuration: configuration(shape),
    ...(scene.options ? { options: scene.options } : {}),
  });
  for (const [id, past] of Object.entries(scene.pasts ?? {})) {
    preload(found, null, id, past);
  }
  return found.start();
}

export function envelope(from: MemberId, to: MemberId, term: Term): Envelope {
  return { group: 0, from, to, incarnation: firstIncarnation(from), term };
}

/** Hands a message to its receiver and returns what that sends at once, its disk held back or not. */
export function say(to: Cluster, message: Message): Message[] {
  const known = new Set(to.flights);
  to.server(message.to).receive(message);
  return to.flights.filter((flight) => !known.has(flight)).map((flight) => flight.message);
}

export function command(index: Index, term: Term, text = `e${index}.${term}`): Entry {
  return { index, term, kind: EntryKind.command, data: new TextEncoder().encode(text) };
}

/** Batches that hold messages back, as `kind after #id`. */
export function heldBack(server: TestServer): string[] {
  return server.held.map(({ message, after }: Outgoing) => `${message.kind} after #${after}`);
}

export function violations(server: TestServer): number {
  return server.events.filter((event) => event.kind === 'violation').length;
}
