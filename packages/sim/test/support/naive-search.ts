/**
 * A search written a second time, in the plainest way: every state is made by doing all its actions again from the beginning, in a world
 * that remembers nothing, and is told from others by a text in which everything that could matter is spelled out.
 */
import { blindWatcher, type CoreAction, CoreWorld, type CoreWorldOptions, type Flight } from '../../src/index.ts';

type Server = CoreWorld['servers'][number];

/** How many states there are within `depth` steps, and how many if those that become one another by other names count as one. */
export function countStates(
  options: CoreWorldOptions,
  depth: number,
): { readonly states: number; readonly orbits: number } {
  const first = worldAfter(options, []);
  const seen = new Set<string>([worldText(first, [0, 1, 2])]);
  const orbits = new Set<string>([leastName(first)]);
  let level: CoreAction[][] = [[]];
  for (let steps = 0; steps < depth && level.length > 0; steps++) {
    const next: CoreAction[][] = [];
    for (const actions of level) {
      const before = worldAfter(options, actions);
      for (const action of before.enabled()) {
        const way = [...actions, action];
        const after = worldAfter(options, way);
        if (action.kind === 'deliver' && isInVain(before, after)) continue;
        const name = worldText(after, [0, 1, 2]);
        if (seen.has(name)) continue;
        seen.add(name);
        orbits.add(leastName(after));
        next.push(way);
      }
    }
    level = next;
  }
  return { states: seen.size, orbits: orbits.size };
}

function worldAfter(options: CoreWorldOptions, actions: readonly CoreAction[]): CoreWorld {
  // A world that is watched makes every step anew.
  const world = new CoreWorld({ ...options, symmetry: false }, [blindWatcher]);
  for (const action of actions) world.carryOut(action);
  return world;
}

/** The same servers as before, and nothing was sent. */
function isInVain(before: CoreWorld, after: CoreWorld): boolean {
  const same = after.servers.every((server, at) => serverText(server) === serverText(before.servers[at]!));
  return same && after.flights.length === before.flights.length - 1;
}

const renamings = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/** The least of the texts that the renamings give. */
function leastName(world: CoreWorld): string {
  const texts = renamings.map((renaming) => worldText(world, renaming));
  return texts.sort()[0] ?? '';
}

function worldText(world: CoreWorld, renaming: readonly number[]): string {
  const rename = (text: string): string =>
    text.replace(/\bn(\d)\b/g, (_, digit: string) => `n${renaming[Number(digit) - 1]! + 1}`);
  const servers = world.servers.map((server) => `${rename(server.id)}: ${inOrder(rename(serverText(server)))}`).sort();
  const flights = world.flights.map((flight) => rename(flightText(flight))).sort();
  const { leaders, committed } = world.ghost;
  const used = world.setting.budgets;
  return JSON.stringify([
    servers,
    flights,
    leaders.map(({ term, leader }) => rename(`${term} ${leader}`)),
    committed.map(({ entry, commitTerm }) => `${entryText(entry)} in ${commitTerm}`),
    Object.keys(used).map((name) => (name === 'terms' ? 0 : world.spent(name as keyof typeof used))),
  ]);
}

/** What is kept in the order of names, or in one that means nothing, is put in the order of the new names. */
function inOrder(text: string): string {
  return text.replace(/\{([^{}]*)\}/g, (_, members: string) => `{${members.split('; ').sort().join('; ')}}`);
}

function serverText({
  raft,
  disk,
  pending,
  timers,
  held,
  applies,
  loads,
  restore,
  machine,
  promises,
  status,
  durableBatch,
}: Server): string {
  const batch = (id: number): number => Math.max(0, id - durableBatch);
  const parts = [
    status,
    `disk ${disk.hardState.term} ${disk.hardState.vote} ${disk.entries.map(entryText).join(' ')} snapshot ${disk.snapshot.index} base ${disk.base.index}`,
    `pending ${pending.map(({ batch: { hardState, entries, truncateFrom } }) => `${hardState?.term} ${hardState?.vote} ${entries.map(entryText).join(' ')} ${truncateFrom}`).join(', ')}`,
    `timers ${timers.map(({ name, min, max, arming }) => `${name} ${min} ${max} ${arming}`).join(', ')}`,
    `held {${held.map(({ message, after }) => `${batch(after)} ${messageText(message)}`).join('; ')}}`,
    `applies ${applies.map(({ from, to }) => `${from} ${to}`).join(', ')} loads ${loads.length} restore ${restore?.snapshot.index}`,
    `machine ${machine.index} ${machine.digest}`,
    `promises {${promises.votes.map(({ term, candidate }) => `${term} ${candidate}`).join('; ')}} ${promises.reads.map(({ id, committed }) => `${id} ${committed}`).join(', ')}`,
  ];
  if (raft === null) return parts.join(' | ');
  const { log, durability, leadership, forwarded } = raft;
  return [
    ...parts,
    `${raft.role} of ${raft.term}, voted ${raft.vote}, follows ${raft.leader}`,
    `log ${log.base.index} ${log.lastIndex} ${log.cache.slice(log.cacheHead).map(entryText).join(' ')}`,
    `commit ${raft.commitIndex} applied ${raft.appliedIndex} handed ${raft.applyHanded}`,
    `durable ${durability.durableIndex} next ${batch(durability.nextBatch)} term ${batch(durability.termBatch)} from ${durability.persistFrom}`,
    `outstanding ${durability.outstanding.map(({ id, lastIndex }) => `${batch(id)} ${lastIndex}`).join(', ')}`,
    `sticky ${raft.sticky} round ${raft.preVoteRound} gives way ${raft.mayGiveWay} back ${raft.standingBack.left} ${raft.standingBack.falls}`,
    `votes {${raft.votes.map(({ voter, granted }) => `${voter} ${granted}`).join('; ')}}`,
    `carried ${forwarded.proposals.length} ${forwarded.readsSent.join()} ${forwarded.readsWaiting.join()}`,
    leadership === null
      ? ''
      : `leads from ${leadership.termStart} round ${leadership.round} ${leadership.confirmedRound} notice ${leadership.noticeArmed} ${leadership.uncommittedBytes} ${leadership.catchUpTo} ${leadership.catchUpNext} ${leadership.heartbeatsToMark} reads ${leadership.reads.map((read) => `${read.id} ${read.index} ${read.round}`).join(', ')}`,
    `seen {${[...(leadership?.seen.keys() ?? [])].join('; ')}}`,
    `progress {${(leadership?.progress ?? [])
      .map(
        (each) =>
          `${each.id} ${each.state} ${each.match} ${each.next} ${each.probeSent} ${each.probeRound} ${each.inflight.map(({ lastIndex }) => lastIndex).join()} ${each.matchAtHeartbeat} ${each.commitSent} ${each.awaited} ${each.round} ${each.speaks} ${each.active} ${each.wasActive}`,
      )
      .join('; ')}}`,
  ].join(' | ');
}

function entryText({
  index,
  term,
  kind,
  data,
}: {
  readonly index: number;
  readonly term: number;
  readonly kind: number;
  readonly data: Uint8Array;
}): string {
  return `${index}/${term}/${kind}/${data.join('.')}`;
}

function flightText({ message }: Flight): string {
  return messageText(message);
}

function messageText(message: Flight['message']): string {
  const { group: _, incarnation: __, ...rest } = message;
  return Object.entries(rest)
    .map(
      ([name, value]) =>
        `${name}=${name === 'entries' ? (value as never[]).map(entryText).join(' ') : typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    )
    .join(' ');
}
