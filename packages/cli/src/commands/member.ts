/** `quorate member …`, `move-leader` and `leave`: changes of membership, wished in names or ids, watched to their end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ClientError, type MembershipResult, type MembershipWish } from '@quorate/client';
import { progressLine, showChange } from '../output/membership-output.ts';
import { UsageError } from '../usage-error.ts';
import { parseDuration } from './duration.ts';
import { type ClientFlags, print, withClient } from './session.ts';

export interface ChangeFlags extends ClientFlags {
  readonly dryRun?: boolean;
  /** Refuse unless this is still the membership's version. */
  readonly version?: string;
  /** Whether to stay until the change is over. */
  readonly wait: boolean;
}

export interface ChangeWishes {
  readonly add?: readonly string[];
  readonly addLearner?: readonly string[];
  readonly remove?: readonly string[];
  readonly promote?: readonly string[];
  readonly demote?: readonly string[];
  readonly update?: readonly string[];
}

type Resolve = (nameOrId: string) => bigint;

/** Between two looks at a change that is under way. Milliseconds. */
const lookAgainMs = 250;
/** Whoever does not answer so long has most likely gone by the very change that is watched. Milliseconds. */
const longestLookMs = 2_000;

export async function runMemberAdd(
  name: string,
  flags: ChangeFlags & { readonly peerUrls: string; readonly learner?: boolean },
): Promise<void> {
  const peerURLs = urlsOf('--peer-urls', flags.peerUrls);
  await change(flags, () => [{ op: 'add', name, peerURLs, voter: flags.learner !== true }]);
}

export async function runMemberSimple(
  op: 'remove' | 'promote' | 'demote',
  members: readonly string[],
  flags: ChangeFlags,
): Promise<void> {
  await change(flags, (resolve) => members.map((member) => ({ op, id: resolve(member) })));
}

export async function runMemberUpdate(
  member: string,
  flags: ChangeFlags & { readonly peerUrls: string },
): Promise<void> {
  const peerURLs = urlsOf('--peer-urls', flags.peerUrls);
  await change(flags, (resolve) => [{ op: 'update', id: resolve(member), peerURLs }]);
}

export async function runMemberReadmit(
  member: string,
  flags: ChangeFlags & { readonly incarnation: string },
): Promise<void> {
  if (!/^[0-9a-f]{16}$/.test(flags.incarnation)) {
    throw new UsageError(
      `--incarnation: "${flags.incarnation}" is not 16 hexadecimal digits; /debug/raft of the server shows it.`,
    );
  }
  await change(flags, (resolve) => [{ op: 'readmit', id: resolve(member), incarnation: flags.incarnation }]);
}

/** Any wishes together, as one change. */
export async function runMemberChange(flags: ChangeFlags & ChangeWishes): Promise<void> {
  await change(flags, (resolve) => {
    const wishes: MembershipWish[] = [];
    for (const text of flags.add ?? []) wishes.push({ op: 'add', ...server('--add', text), voter: true });
    for (const text of flags.addLearner ?? [])
      wishes.push({ op: 'add', ...server('--add-learner', text), voter: false });
    for (const op of ['remove', 'promote', 'demote'] as const) {
      for (const member of flags[op] ?? []) wishes.push({ op, id: resolve(member) });
    }
    for (const text of flags.update ?? []) {
      const { name, peerURLs } = server('--update', text);
      wishes.push({ op: 'update', id: resolve(name), peerURLs });
    }
    if (wishes.length > 0) return wishes;
    throw new UsageError('The change is empty; give --add, --add-learner, --remove, --promote, --demote or --update.');
  });
}

export async function runMoveLeader(target: string, flags: ClientFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const before = await client.membership();
    const id = resolverFor(before)(target);
    await client.moveLeader(id);
    print(`Leadership transferred from ${before.leaderId.toString(16)} to ${id.toString(16)}`);
  });
}

/** The server at the (only) endpoint asks to be removed; it hands over what it has to, and stops by itself. */
export async function runLeave(flags: ChangeFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const [endpoint, ...others] = client.endpoints;
    if (endpoint === undefined || others.length > 0) {
      throw new UsageError('--endpoints names several servers; name the one that is to leave.');
    }
    const { memberId } = await client.status();
    await perform(client, flags, () => [{ op: 'remove', id: memberId }]);
  });
}

async function change(flags: ChangeFlags, wishesOf: (resolve: Resolve) => readonly MembershipWish[]): Promise<void> {
  await withClient(flags, async (client) => perform(client, flags, wishesOf));
}

async function perform(
  client: Client,
  flags: ChangeFlags,
  wishesOf: (resolve: Resolve) => readonly MembershipWish[],
): Promise<void> {
  const version = flags.version === undefined ? undefined : versionOf(flags.version);
  const before = await client.membership();
  const wishes = wishesOf(resolverFor(before));
  const dryRun = flags.dryRun === true;
  // What was resolved from this membership must not be done to another one.
  const begun = await client.changeMembership(wishes, { version: version ?? before.version, dryRun });
  const last = dryRun || !flags.wait ? begun : await watch(client, begun, flags);
  print(showChange(wishes, { ...last, addedIds: begun.addedIds }, { dryRun, format: flags.writeOut }));
}

/** Shows on standard error how far the change is, until it is over; returns the membership as it was last seen. */
async function watch(client: Client, begun: MembershipResult, flags: ClientFlags): Promise<MembershipResult> {
  const timeout = Math.min(parseDuration('--command-timeout', flags.commandTimeout), longestLookMs);
  let said = '';
  let view = begun;
  while (view.underWay) {
    const line = progressLine(view);
    if (line !== said) process.stderr.write(`${line}\n`);
    said = line;
    await sleep(lookAgainMs);
    try {
      view = await client.membership({ timeout });
    } catch (error) {
      if (!(error instanceof ClientError) || !['Unavailable', 'DeadlineExceeded'].includes(error.code)) throw error;
      process.stderr.write(
        `The change has begun and goes on. It is not watched any further, nobody answers at ${flags.endpoints}\n`,
      );
      return view;
    }
  }
  return view;
}

/** Members may be named by their id, in hexadecimal, or by their name where it is the only one of its kind. */
function resolverFor({ members }: MembershipResult): Resolve {
  return (nameOrId) => {
    const byId = members.find(({ ID }) => ID.toString(16) === nameOrId.replace(/^0+(?=.)/, ''));
    if (byId !== undefined) return byId.ID;
    const [byName, ...more] = members.filter(({ name }) => name === nameOrId);
    if (byName !== undefined && more.length === 0) return byName.ID;
    const known = members.map(({ ID, name }) => `${ID.toString(16)} (${name === '' ? 'unstarted' : name})`).join(', ');
    const problem = byName === undefined ? 'is no member' : 'is the name of several members; give the id';
    throw new UsageError(`"${nameOrId}" ${problem}. The members are ${known}.`);
  };
}

function server(flag: string, text: string): { readonly name: string; readonly peerURLs: readonly string[] } {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`${flag}: "${text}" is not NAME=http://HOST:PORT.`);
  return { name: text.slice(0, equals), peerURLs: urlsOf(flag, text.slice(equals + 1)) };
}

function urlsOf(flag: string, text: string): readonly string[] {
  const urls = text.split(',').map((url) => url.trim());
  const wrong = urls.find((url) => !/^http:\/\/[^/\s]+:\d+\/?$/.test(url));
  if (wrong !== undefined) throw new UsageError(`${flag}: "${wrong}" is not http://HOST:PORT.`);
  return urls;
}

function versionOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--version: "${text}" is not a whole number; a dry run shows the version of the membership.`);
}
