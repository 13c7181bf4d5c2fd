import type { MembershipResult, MembershipWish } from '@quorate/client';
import { toJson } from './json.ts';
import { headerFields, jsonHeader, type OutputFormat } from './kv-output.ts';
import { table } from './table.ts';

type Member = MembershipResult['members'][number];

const COLUMNS = ['ID', 'name', 'peer addrs', 'now', 'becomes', 'answers', 'has'];

const verbs: Readonly<Record<MembershipWish['op'], string>> = {
  add: 'added to',
  remove: 'removed from',
  promote: 'promoted in',
  demote: 'demoted in',
  update: 'updated in',
  readmit: 'readmitted to',
};

/** What a change has done; of a trial run, what it would do. */
export function showChange(
  wishes: readonly MembershipWish[],
  result: MembershipResult,
  { dryRun, format }: { readonly dryRun: boolean; readonly format: OutputFormat },
): string {
  const rows = result.members.map((member) => rowOf(member, result));
  switch (format) {
    case 'json':
      return toJson({ ...jsonOf(result), dry_run: dryRun });
    case 'fields':
      return [headerFields(result), `"Version" : ${result.version}`, ...result.members.map(fieldsOf)].join('\n\n');
    case 'table':
      return table(COLUMNS, rows);
    case 'simple':
      if (dryRun) return [`Version ${result.version} of the membership would be:`, table(COLUMNS, rows)].join('\n');
      return done(wishes, result);
  }
}

function done(wishes: readonly MembershipWish[], { addedIds, clusterId, members }: MembershipResult): string {
  const added = [...addedIds];
  const lines = wishes.map((wish) => {
    const id = wish.op === 'add' ? (added.shift() ?? 0n) : wish.id;
    return `Member ${id.toString(16)} ${verbs[wish.op]} cluster ${clusterId.toString(16)}`;
  });
  const isAwaited = members.some(({ ID, incarnation }) => incarnation === '' && addedIds.includes(ID));
  if (isAwaited) lines.push('Start what was added with: quorate serve --join HOST:PORT of any member');
  return lines.join('\n');
}

/** Who is still waited for, in one line. */
export function progressLine(result: MembershipResult): string {
  const { members, lastIndex, joint } = result;
  if (joint) return 'Both the old voters and the new ones decide';
  const coming = members.filter((member) => !member.voter && member.becomes === 'voter');
  if (coming.length === 0) return 'The change is being committed';
  const each = coming.map((member) => {
    const name = member.name === '' ? member.ID.toString(16) : member.name;
    if (!member.progressKnown) return name;
    if (!member.answers) return `${name} does not answer yet`;
    // With the log it gets its vote once its state machine has caught up: of that nobody tells how far it is.
    return shareOf(member.matchIndex, lastIndex) >= 99
      ? `${name} has the log and applies it`
      : `${name} ${percentOf(member.matchIndex, lastIndex)}`;
  });
  return `Catching up: ${each.join(', ')}`;
}

function percentOf(index: number, of: number): string {
  return `${shareOf(index, of)} %`;
}

/** In hundredths. */
function shareOf(index: number, of: number): number {
  return of === 0 ? 100 : Math.floor((100 * index) / of);
}

function rowOf(member: Member, { lastIndex }: MembershipResult): string[] {
  const isNew = member.incarnation === '';
  return [
    member.ID.toString(16),
    member.name,
    member.peerURLs.join(','),
    `${member.voter ? 'voter' : 'learner'}${isNew ? ', unstarted' : ''}`,
    member.becomes,
    member.progressKnown ? (member.answers ? 'yes' : 'no') : '?',
    member.progressKnown ? percentOf(member.matchIndex, lastIndex) : '?',
  ];
}

function fieldsOf(member: Member): string {
  return [
    `"ID" : ${member.ID}`,
    `"Name" : ${JSON.stringify(member.name)}`,
    ...member.peerURLs.map((url) => `"PeerURL" : ${JSON.stringify(url)}`),
    `"Voter" : ${member.voter}`,
    `"Becomes" : ${JSON.stringify(member.becomes)}`,
    `"Incarnation" : ${JSON.stringify(member.incarnation)}`,
  ].join('\n');
}

function jsonOf(result: MembershipResult): object {
  const { version, underWay, joint, leaderId, lastIndex, members, addedIds } = result;
  return {
    header: jsonHeader(result),
    version,
    under_way: underWay,
    joint,
    leader: leaderId,
    last_index: lastIndex,
    added: addedIds,
    members,
  };
}
