import type { DeleteRangeResponse, KeyValue, PutResponse, RangeResponse, ResponseHeader, TxnResponse } from '@quorate/kv/api';
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

export function showPut(response: PutResponse, options: OutputOptions): string {
  if (options.format === 'json') return toJson(response);
  if (options.format === 'fields') return lines(headerFields(response.header), response.prevKv && keyValueFields(response.prevKv, options, 'Prev'));
  if (options.format === 'table') return keyValueTable(response.prevKv === undefined ? [] : [response.prevKv], options);
  return lines('OK', response.prevKv && keyAndValue(response.prevKv, options));
}

export function showRange(response: RangeResponse, options: OutputOptions): string {
  if (options.format === 'json') return toJson(response);
  if (options.format === 'fields') {
    return lines(
      headerFields(response.header),
      ...response.kvs.map((kv) => keyValueFields(kv, options, '')),
      `"More" : ${response.more}`,
      `"Count" : ${response.count}`,
    );
  }
  if (options.format === 'table') return keyValueTable(response.kvs, options);
  if (options.countOnly) return String(response.count);
  return lines(...response.kvs.map((kv) => keyAndValue(kv, options)));
}

export function showDelete(response: DeleteRangeResponse, options: OutputOptions): string {
  if (options.format === 'json') return toJson(response);
  if (options.format === 'fields') {
    return lines(headerFields(response.header), `"Deleted" : ${response.deleted}`, ...response.prevKvs.map((kv) => keyValueFields(kv, options, 'Prev')));
  }
  if (options.format === 'table') return keyValueTable(response.prevKvs, options);
  return lines(String(response.deleted), ...response.prevKvs.map((kv) => keyAndValue(kv, options)));
}

export function showTxn(response: TxnResponse, options: OutputOptions): string {
  if (options.format === 'json') return toJson(response);
  const parts = response.responses.map(({ response: part }) => {
    switch (part.case) {
      case 'responseRange':
        return showRange(part.value, options);
      case 'responsePut':
        return showPut(part.value, options);
      case 'responseDeleteRange':
        return showDelete(part.value, options);
      case 'responseTxn':
        return showTxn(part.value, options);
      case undefined:
        return '';
    }
  });
  if (options.format === 'fields') return lines(headerFields(response.header), `"Succeeded" : ${response.succeeded}`, ...parts);
  return lines(response.succeeded ? 'SUCCESS' : 'FAILURE', ...parts.flatMap((part) => ['', part]));
}

function keyAndValue(kv: KeyValue, options: OutputOptions): string {
  if (options.valuesOnly) return showBytes(kv.value, options.bytes);
  return `${showBytes(kv.key, options.bytes)}\n${options.keysOnly ? '' : showBytes(kv.value, options.bytes)}`;
}

function keyValueTable(kvs: readonly KeyValue[], options: OutputOptions): string {
  return table(
    ['key', 'value', 'create revision', 'mod revision', 'version', 'lease'],
    kvs.map((kv) => [
      quoteBytes(kv.key, options.bytes),
      quoteBytes(kv.value, options.bytes),
      String(kv.createRevision),
      String(kv.modRevision),
      String(kv.version),
      kv.lease.toString(16),
    ]),
  );
}

export function headerFields(header: ResponseHeader | undefined): string {
  if (header === undefined) return '';
  return lines(
    `"ClusterID" : ${header.clusterId}`,
    `"MemberID" : ${header.memberId}`,
    `"Revision" : ${header.revision}`,
    `"RaftTerm" : ${header.raftTerm}`,
  );
}

function keyValueFields(kv: KeyValue, options: OutputOptions, prefix: string): string {
  return lines(
    `"${prefix}Key" : ${quoteBytes(kv.key, options.bytes)}`,
    `"${prefix}CreateRevision" : ${kv.createRevision}`,
    `"${prefix}ModRevision" : ${kv.modRevision}`,
    `"${prefix}Version" : ${kv.version}`,
    `"${prefix}Value" : ${quoteBytes(kv.value, options.bytes)}`,
    `"${prefix}Lease" : ${kv.lease}`,
  );
}

/** Joins what is there, a line each; `undefined` stands for nothing at all. */
function lines(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('\n');
}
