import type { MemberListResponse, StatusResponse } from '@quorate/kv/api';
import { toJson } from './json.ts';
import { headerFields, type OutputFormat } from './kv-output.ts';
import { table } from './table.ts';

/** What one endpoint said of itself, or why it said nothing. */
export interface EndpointStatus {
  readonly endpoint: string;
  readonly status: StatusResponse;
}

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

export function showStatus(answers: readonly EndpointStatus[], format: OutputFormat): string {
  switch (format) {
    case 'json':
      return `[${answers.map(({ endpoint, status }) => `{"Endpoint":${JSON.stringify(endpoint)},"Status":${toJson(status)}}`).join(',')}]`;
    case 'fields':
      return answers.map(statusFields).join('\n\n');
    case 'table':
      return table(STATUS_COLUMNS, answers.map(statusCells));
    case 'simple':
      return answers.map((answer) => statusCells(answer).join(', ')).join('\n');
  }
}

export function showMembers(response: MemberListResponse, format: OutputFormat): string {
  const rows = response.members.map((member) => [
    member.ID.toString(16),
    member.name === '' ? 'unstarted' : 'started',
    member.name,
    member.peerURLs.join(','),
    member.clientURLs.join(','),
    String(member.isLearner),
  ]);
  switch (format) {
    case 'json':
      return toJson(response);
    case 'fields':
      return [
        headerFields(response.header),
        ...response.members.map((member) =>
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

function statusCells({ endpoint, status }: EndpointStatus): string[] {
  const memberId = status.header?.memberId ?? 0n;
  return [
    endpoint,
    memberId.toString(16),
    status.version,
    humanBytes(status.dbSize),
    String(status.leader !== 0n && status.leader === memberId),
    String(status.isLearner),
    String(status.raftTerm),
    String(status.raftIndex),
    String(status.raftAppliedIndex),
    status.errors.join('; '),
  ];
}

function statusFields({ endpoint, status }: EndpointStatus): string {
  return [
    headerFields(status.header),
    `"Version" : ${JSON.stringify(status.version)}`,
    `"DBSize" : ${status.dbSize}`,
    `"Leader" : ${status.leader}`,
    `"IsLearner" : ${status.isLearner}`,
    `"RaftIndex" : ${status.raftIndex}`,
    `"RaftTerm" : ${status.raftTerm}`,
    `"RaftAppliedIndex" : ${status.raftAppliedIndex}`,
    `"Errors" : ${JSON.stringify(status.errors)}`,
    `"Endpoint" : ${JSON.stringify(endpoint)}`,
  ].join('\n');
}

/** 20480 as "20 kB", the way etcdctl shows it: powers of a thousand, two digits below ten. */
function humanBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : value.toFixed(0)} ${units[power] ?? 'B'}`;
}
