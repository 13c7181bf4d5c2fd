import type { Comparison, Op, Txn } from '@quorate/client';
import { UsageError } from '../usage-error.ts';
import { deleteCall, getCall, putCall } from './requests.ts';

/**
 * etcdctl's language for transactions: three paragraphs, each ended by an empty line (the last also by the end of
 * input): comparisons, requests if all hold, requests otherwise.
 *
 *     mod("key") > "0"
 *
 *     put key "new value"
 *
 *     get key --prefix
 */
export function parseTxn(text: string): Txn {
  const [compares = [], successes = [], failures = [], ...rest] = paragraphs(text);
  if (rest.flat().length > 0)
    throw new UsageError(`A transaction has three paragraphs; a fourth begins with "${rest.flat()[0]}".`);
  return {
    compare: compares.map(parseComparison),
    success: successes.map(parseOperation),
    failure: failures.map(parseOperation),
  };
}

/** Lines up to an empty line make a paragraph, which may itself be empty. */
function paragraphs(text: string): string[][] {
  const found: string[][] = [[]];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') found.push([]);
    else found.at(-1)?.push(line.trim());
  }
  return found;
}

/** `target("key") operator "value"`, where key and value may stand without quotes too. */
export function parseComparison(line: string): Comparison {
  const parts = /^([a-z]+)\(\s*("(?:[^"\\]|\\.)*"|[^)"]+)\s*\)\s*(=|!=|<|>)\s*("(?:[^"\\]|\\.)*"|\S+)$/.exec(line);
  if (parts === null) throw new UsageError(`"${line}" is no comparison. One looks like: mod("key") > "0".`);
  const [, target = '', key = '', operator, value = ''] = parts;
  const head = { key: unquote(key), is: operator as '=' | '!=' | '<' | '>' };
  const operand = unquote(value);
  switch (target) {
    case 'ver':
    case 'version':
      return { ...head, version: integer(operand, line) };
    case 'c':
    case 'create':
      return { ...head, createRevision: integer(operand, line) };
    case 'm':
    case 'mod':
      return { ...head, modRevision: integer(operand, line) };
    case 'val':
    case 'value':
      return { ...head, value: operand };
    case 'lease':
      return { ...head, lease: BigInt(integer(operand, line)) };
    default:
      throw new UsageError(`"${line}" compares "${target}"; it takes version, create, mod, value or lease.`);
  }
}

function integer(value: string, line: string): number {
  const number = Number(value);
  if (value === '' || !Number.isSafeInteger(number))
    throw new UsageError(`"${line}" compares with "${value}", which is no whole number.`);
  return number;
}

export function parseOperation(line: string): Op {
  const [command = '', ...words] = splitWords(line);
  switch (command) {
    case 'put': {
      const { positional, flags } = separate(line, words, PUT_FLAGS);
      const { key, value, options } = putCall(positional, flags);
      return { op: 'put', key, value, ...options };
    }
    case 'get': {
      const { positional, flags } = separate(line, words, GET_FLAGS);
      const { key, options } = getCall(positional, flags);
      return { op: 'get', key, ...options };
    }
    case 'del': {
      const { positional, flags } = separate(line, words, DELETE_FLAGS);
      const { key, options } = deleteCall(positional, flags);
      return { op: 'delete', key, ...options };
    }
    default:
      throw new UsageError(`"${line}" begins with "${command}"; a transaction takes put, get and del.`);
  }
}

/** Whether a flag takes a value, by its name. */
type FlagTable = Readonly<Record<string, boolean>>;
const PUT_FLAGS: FlagTable = { 'prev-kv': false, 'ignore-value': false, 'ignore-lease': false, lease: true };
const DELETE_FLAGS: FlagTable = { prefix: false, 'from-key': false, 'prev-kv': false };
const GET_FLAGS: FlagTable = {
  prefix: false,
  'from-key': false,
  limit: true,
  rev: true,
  order: true,
  'sort-by': true,
  'keys-only': false,
  'count-only': false,
  consistency: true,
};

function separate(
  line: string,
  words: readonly string[],
  table: FlagTable,
): { positional: string[]; flags: Readonly<Record<string, string | boolean>> } {
  const positional: string[] = [];
  const flags: Record<string, string | boolean> = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!word.startsWith('--')) {
      positional.push(word);
      continue;
    }
    const [name, inline] = splitOnce(word.slice(2), '=');
    const takesValue = table[name];
    if (takesValue === undefined)
      throw new UsageError(`"${line}" has the flag --${name}; here it takes ${flagList(table)}.`);
    const value = takesValue ? (inline ?? words[++at]) : inline !== 'false';
    if (value === undefined) throw new UsageError(`"${line}" gives --${name} no value.`);
    flags[camelCase(name)] = value;
  }
  return { positional, flags };
}

function flagList(table: FlagTable): string {
  return Object.keys(table)
    .map((name) => `--${name}`)
    .join(', ');
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Words as a shell would cut them: quotes hold spaces together, and inside double quotes a backslash quotes. */
function splitWords(line: string): string[] {
  const words = line.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, unquote));
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

function unquote(word: string): string {
  if (word.length >= 2 && word.startsWith("'") && word.endsWith("'")) return word.slice(1, -1);
  if (word.length < 2 || !word.startsWith('"') || !word.endsWith('"')) return word;
  return word.slice(1, -1).replace(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}
