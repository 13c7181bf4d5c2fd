import type { MemberListResult, StatusResult } from '@quorate/client';
import { toJson } from './json.ts';
import { headerFields, jsonHeader, type OutputFormat } from './kv-output.ts';
import { table } from './table.ts';
import type { Versions } from './versions-output.ts';

const STATUS_COLUMNS = [
  'endpoint',
  'ID',
  'version',
  'DB size',
  'is leader',
  'is learner',
  'raft term',
  'raft index',
  'raft applied index',
  'errors',
];

export function showStatus(
  answers: readonly (StatusResult & { readonly versions: Versions | null })[],
  format: OutputFormat,
): string {
  switch (format) {
    case 'json':
      return toJson(
        answers.map((answer) => ({ Endpoint: answer.endpoint, Status: jsonStatus(answer), Versions: answer.versions })),
      );
    case 'fields':
      return answers.map(statusFields).join('\n\n');
    case 'table':
      return table(STATUS_COLUMNS, answers.map(statusCells));
    case 'simple':
      return answers.map((answer) => statusCells(answer).join(', ')).join('\n');
  }
}

export function showMembers(result: MemberListResult, format: OutputFormat): string {
  const rows = result.members.map((member) => [
    member.ID.toString(16),
    member.name === '' ? 'unstarted' : 'started',
    member.name,
    member.peerURLs.join(','),
    member.clientURLs.join(','),
    String(member.isLearner),
  ]);
  switch (format) {
    case 'json':
      return toJson({ header: jsonHeader(result), members: result.members });
    case 'fields':
      return [
        headerFields(result),
        ...result.members.map((member) =>
          [
            `"ID" : ${member.ID}`,
            `"Name" : ${JSON.stringify(member.name)}`,
            ...member.peerURLs.map((url) => `"PeerURL" : ${JSON.stringify(url)}`),
            ...member.clientURLs.map((url) => `"ClientURL" : ${JSON.stringify(url)}`),
            `"IsLearner" : ${member.isLearner}`,
          ].join('\n'),
        ),
      ].join('\n\n');
    case 'table':
      return table(['ID', 'status', 'name', 'peer addrs', 'client addrs', 'is learner'], rows);
    case 'simple':
      return rows.map((row) => row.join(', ')).join('\n');
  }
}

function jsonStatus(status: StatusResult): object {
  return {
    header: jsonHeader(status),
    version: status.version,
    dbSize: status.dbSize,
    leader: status.leader,
    raftIndex: status.raftIndex,
    raftTerm: status.raftTerm,
    raftAppliedIndex: status.raftAppliedIndex,
    errors: status.errors,
    dbSizeInUse: status.dbSizeInUse,
    isLearner: status.isLearner,
  };
}

function statusCells(status: StatusResult): string[] {
  return [
    status.endpoint,
    status.memberId.toString(16),
    status.version,
    humanBytes(status.dbSize),
    String(status.isLeader),
    String(status.isLearner),
    String(status.raftTerm),
    String(status.raftIndex),
    String(status.raftAppliedIndex),
    status.errors.join('; '),
  ];
}

function statusFields(status: StatusResult): string {
  return [
    headerFields(status),
    `"Version" : ${JSON.stringify(status.version)}`,
    `"DBSize" : ${status.dbSize}`,
    `"Leader" : ${status.leader}`,
    `"IsLearner" : ${status.isLearner}`,
    `"RaftIndex" : ${status.raftIndex}`,
    `"RaftTerm" : ${status.raftTerm}`,
    `"RaftAppliedIndex" : ${status.raftAppliedIndex}`,
    `"Errors" : ${JSON.stringify(status.errors)}`,
    `"Endpoint" : ${JSON.stringify(status.endpoint)}`,
  ].join('\n');
}

/** 20480 as "20 kB", the way etcdctl shows it: powers of a thousand, two digits below ten. */
function humanBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : value.toFixed(0)} ${units[power] ?? 'B'}`;
}
