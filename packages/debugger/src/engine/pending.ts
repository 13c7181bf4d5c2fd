/** What can be done next, grouped by what it is done to, with the reason where it cannot be. */
import { type CoreAction, type CoreWorld, describeMessage, type Flight } from '@quorate/sim';
import { dueOf } from './due.ts';
import type { Choice, PendingItem } from './protocol.ts';

/** How much longer a message takes that is held up: long enough for others to overtake it. Virtual microseconds. */
const delay = 50_000;

export function pendingOf(world: CoreWorld): readonly PendingItem[] {
  const items: PendingItem[] = world.flights.map((flight) => messageItem(world, flight));
  for (const { id } of world.servers) {
    items.push(...byThemselves(world, id), faultItem(world, id), clientItem(world, id), ...membershipItem(world, id));
  }
  const heal: CoreAction = { kind: 'heal' };
  if (world.why(heal) === null) {
    items.push({
      key: 'heal',
      group: 'link',
      server: '',
      title: 'cut links',
      detail: '',
      dueAt: null,
      choices: [choice(world, 'mend all', heal)],
    });
  }
  // What is due first stands first; what waits for somebody to want it, last.
  const order = (item: PendingItem): number => item.dueAt ?? Number.MAX_SAFE_INTEGER;
  return items.filter(({ choices }) => choices.length > 0).sort((a, b) => order(a) - order(b));
}

function choice(world: CoreWorld, label: string, action: CoreAction): Choice {
  return { label, action, refused: world.why(action) };
}

function messageItem(world: CoreWorld, flight: Flight): PendingItem {
  const { id, message } = flight;
  const kinds = ['deliver', 'drop', 'duplicate'] as const;
  return {
    key: `message ${id}`,
    group: 'message',
    server: message.to,
    title: `${message.kind} ${message.from}→${message.to}`,
    detail: `#${id} t${message.term} ${describeMessage(message)}`.trimEnd(),
    dueAt: dueOf(world, { kind: 'deliver', message: id }),
    choices: [
      ...kinds.map((kind) => choice(world, kind, { kind, message: id })),
      ...(world.setting.timing === 'clock' ? [choice(world, 'delay', { kind: 'delay', message: id, by: delay })] : []),
    ],
  };
}

/** Timers, the disk, the state machine: what time brings about. */
function byThemselves(world: CoreWorld, server: string): readonly PendingItem[] {
  const record = world.server(server);
  if (record === null || record.raft === null) return [];
  const item = (
    group: PendingItem['group'],
    title: string,
    label: string,
    detail: string,
    action: CoreAction,
  ): PendingItem => ({
    key: `${server} ${title}`,
    group,
    server,
    title: `${server} ${title}`,
    detail,
    dueAt: dueOf(world, action),
    choices: [choice(world, label, action)],
  });
  const { timers, pending, applies, restore, loads, reports } = record;
  const oldest = pending[0]?.batch;
  return [
    ...timers.map(({ name }) => item('timer', `${name} timer`, 'fire', '', { kind: 'timeout', server, timer: name })),
    ...(oldest === undefined
      ? []
      : [item('disk', 'write', 'make durable', batchDetail(oldest, pending.length), { kind: 'persist', server })]),
    ...(applies.length === 0 && restore === null
      ? []
      : [item('apply', 'state machine', 'apply', applyDetail(applies), { kind: 'apply', server })]),
    ...(loads.length === 0 ? [] : [item('disk', 'read', 'answer', '', { kind: 'load', server })]),
    ...(reports.length === 0 ? [] : [item('disk', 'snapshot sent', 'tell', '', { kind: 'snapshotSent', server })]),
  ];
}

function batchDetail(
  batch: { readonly id: number; readonly hardState: unknown; readonly entries: readonly { readonly index: number }[] },
  count: number,
): string {
  const first = batch.entries[0]?.index;
  const last = batch.entries[batch.entries.length - 1]?.index;
  const parts = [
    ...(batch.hardState === null ? [] : ['term and vote']),
    ...(first === undefined ? [] : [first === last ? `entry ${first}` : `entries ${first}–${last}`]),
  ];
  return `batch ${batch.id}: ${parts.join(', ') || 'a cut'}${count > 1 ? `; ${count - 1} more wait` : ''}`;
}

function applyDetail(applies: readonly { readonly from: number; readonly to: number }[]): string {
  const [range] = applies;
  if (range === undefined) return 'restore a snapshot';
  return range.from === range.to ? `entry ${range.from}` : `entries ${range.from}–${range.to}`;
}

function clientItem(world: CoreWorld, server: string): PendingItem {
  const actions: readonly (readonly [string, CoreAction])[] = [
    ['propose', { kind: 'propose', server }],
    ['read', { kind: 'read', server }],
    ['snapshot', { kind: 'compact', server }],
  ];
  return plainItem(world, `${server} client`, 'client', server, `${server}: clients`, actions);
}

/** What only a leader is asked for, as far as the world offers it. */
function membershipItem(world: CoreWorld, server: string): readonly PendingItem[] {
  if (world.server(server)?.raft?.role !== 'leader') return [];
  const actions = world.candidates().flatMap((action) => membershipAction(action, server));
  return [plainItem(world, `${server} membership`, 'client', server, `${server}: membership`, actions)];
}

function membershipAction(action: CoreAction, server: string): readonly (readonly [string, CoreAction])[] {
  if (action.kind === 'transfer' && action.server === server) return [[`hand over to ${action.target}`, action]];
  if (action.kind !== 'change' || action.server !== server) return [];
  return [[`${action.change.op} ${action.change.member}`, action]];
}

function faultItem(world: CoreWorld, server: string): PendingItem {
  const record = world.server(server);
  const isUp = record !== null && record.raft !== null;
  const torn = isUp ? record.pending.map((_, at) => at + 1) : [];
  const actions: readonly (readonly [string, CoreAction])[] = isUp
    ? [
        ['crash', { kind: 'crash', server, keep: 0 }],
        ...torn.map((keep) => [`crash, ${keep} written`, { kind: 'crash', server, keep }] as const),
        ['crash at next write', { kind: 'crashAtDisk', server }],
        record.status === 'paused' ? ['resume', { kind: 'resume', server }] : ['pause', { kind: 'pause', server }],
      ]
    : [['restart', { kind: 'restart', server }]];
  const item = plainItem(world, `${server} fault`, 'server', server, `${server}: process`, actions);
  return isUp ? { ...item, choices: [...item.choices, ...onlyOfNodes] } : item;
}

/** What people look for here, and a world of cores has not. */
const onlyOfNodes: readonly Choice[] = [
  {
    label: 'fill its disk',
    action: { kind: 'deed', deed: { kind: 'add', name: 'a full disk', actions: [] } },
    refused: 'disks have no size in a world of cores: open a run of whole nodes',
  },
  {
    label: 'set its clock',
    action: { kind: 'deed', deed: { kind: 'add', name: 'another clock', actions: [] } },
    refused: 'all servers go by one clock in a world of cores: open a run of whole nodes',
  },
];

function plainItem(
  world: CoreWorld,
  key: string,
  group: PendingItem['group'],
  server: string,
  title: string,
  actions: readonly (readonly [string, CoreAction])[],
): PendingItem {
  const choices = actions.map(([label, action]) => choice(world, label, action));
  return { key, group, server, title, detail: '', dueAt: null, choices };
}
