import type { Answered, DeleteResult, Entry, GetResult, OpResult, PutResult, TxnResult } from '@quorate/client';
import { type BytesStyle, quoteBytes, showBytes } from './bytes.ts';
import { toJson } from './json.ts';
import { table } from './table.ts';

export type OutputFormat = 'simple' | 'json' | 'table' | 'fields';

/** What the flags say about printing. */
export interface OutputOptions {
  readonly format: OutputFormat;
  readonly bytes: BytesStyle;
  /** `get`: values without their keys. */
  readonly valuesOnly: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
}

export function showPut(result: PutResult, options: OutputOptions): string {
  const previous = result.previous === undefined ? [] : [result.previous];
  switch (options.format) {
    case 'json':
      return toJson({ header: jsonHeader(result), prev_kv: result.previous && jsonEntry(result.previous) });
    case 'fields':
      return lines(headerFields(result), ...previous.map((entry) => entryFields(entry, options, 'Prev')));
    case 'table':
      return entryTable(previous, options);
    case 'simple':
      return lines('OK', ...previous.map((entry) => keyAndValue(entry, options)));
  }
}

export function showGet(result: GetResult, options: OutputOptions): string {
  switch (options.format) {
    case 'json':
      return toJson({
        header: jsonHeader(result),
        kvs: result.entries.map(jsonEntry),
        more: result.more,
        count: result.count,
      });
    case 'fields':
      return lines(
        headerFields(result),
        ...result.entries.map((entry) => entryFields(entry, options, '')),
        `"More" : ${result.more}`,
        `"Count" : ${result.count}`,
      );
    case 'table':
      return entryTable(result.entries, options);
    case 'simple':
      if (options.countOnly) return String(result.count);
      return lines(...result.entries.map((entry) => keyAndValue(entry, options)));
  }
}

export function showDelete(result: DeleteResult, options: OutputOptions): string {
  switch (options.format) {
    case 'json':
      return toJson({ header: jsonHeader(result), deleted: result.deleted, prev_kvs: result.previous.map(jsonEntry) });
    case 'fields':
      return lines(
        headerFields(result),
        `"Deleted" : ${result.deleted}`,
        ...result.previous.map((entry) => entryFields(entry, options, 'Prev')),
      );
    case 'table':
      return entryTable(result.previous, options);
    case 'simple':
      return lines(String(result.deleted), ...result.previous.map((entry) => keyAndValue(entry, options)));
  }
}

export function showTxn(result: TxnResult, options: OutputOptions): string {
  if (options.format === 'json') return toJson(jsonTxn(result, jsonHeader(result)));
  const parts = result.results.map((part) => showPart(part, options));
  if (options.format === 'fields') return lines(headerFields(result), `"Succeeded" : ${result.succeeded}`, ...parts);
  return lines(result.succeeded ? 'SUCCESS' : 'FAILURE', ...parts.flatMap((part) => ['', part]));
}

function showPart(part: OpResult, options: OutputOptions): string {
  switch (part.op) {
    case 'get':
      return showGet(part, options);
    case 'put':
      return showPut(part, options);
    case 'delete':
      return showDelete(part, options);
    case 'txn':
      return showTxn(part, options);
  }
}

/** Parts of a transaction carry its revision and nothing else of a header. */
function jsonTxn(result: TxnResult, header: object): object {
  const responses = result.results.map((part) => ({ Response: jsonPart(part, { revision: result.revision }) }));
  return { header, succeeded: result.succeeded, responses };
}

function jsonPart(part: OpResult, header: object): object {
  switch (part.op) {
    case 'get':
      return { ResponseRange: { header, kvs: part.entries.map(jsonEntry), more: part.more, count: part.count } };
    case 'put':
      return { ResponsePut: { header, prev_kv: part.previous && jsonEntry(part.previous) } };
    case 'delete':
      return { ResponseDeleteRange: { header, deleted: part.deleted, prev_kvs: part.previous.map(jsonEntry) } };
    case 'txn':
      return { ResponseTxn: jsonTxn(part, header) };
  }
}

export function jsonHeader({ clusterId, memberId, revision, raftTerm }: Answered): object {
  return { cluster_id: clusterId, member_id: memberId, revision, raft_term: raftTerm };
}

function jsonEntry({ key, createRevision, modRevision, version, value, lease }: Entry): object {
  return { key, create_revision: createRevision, mod_revision: modRevision, version, value, lease };
}

export function headerFields({ clusterId, memberId, revision, raftTerm }: Answered): string {
  return lines(
    `"ClusterID" : ${clusterId}`,
    `"MemberID" : ${memberId}`,
    `"Revision" : ${revision}`,
    `"RaftTerm" : ${raftTerm}`,
  );
}

function keyAndValue(entry: Entry, options: OutputOptions): string {
  if (options.valuesOnly) return showBytes(entry.value, options.bytes);
  return `${showBytes(entry.key, options.bytes)}\n${options.keysOnly ? '' : showBytes(entry.value, options.bytes)}`;
}

function entryTable(entries: readonly Entry[], options: OutputOptions): string {
  return table(
    ['key', 'value', 'create revision', 'mod revision', 'version', 'lease'],
    entries.map((entry) => [
      quoteBytes(entry.key, options.bytes),
      quoteBytes(entry.value, options.bytes),
      String(entry.createRevision),
      String(entry.modRevision),
      String(entry.version),
      entry.lease.toString(16),
    ]),
  );
}

function entryFields(entry: Entry, options: OutputOptions, prefix: string): string {
  return lines(
    `"${prefix}Key" : ${quoteBytes(entry.key, options.bytes)}`,
    `"${prefix}CreateRevision" : ${entry.createRevision}`,
    `"${prefix}ModRevision" : ${entry.modRevision}`,
    `"${prefix}Version" : ${entry.version}`,
    `"${prefix}Value" : ${quoteBytes(entry.value, options.bytes)}`,
    `"${prefix}Lease" : ${entry.lease}`,
  );
}

function lines(...parts: readonly string[]): string {
  return parts.join('\n');
}
