/** Plain data in one canonical form: equal values have the same code, whatever the order in which their fields were written. */
import { finish, type Lanes, mixA, mixB } from '@quorate/sim';
import type { PlainData } from '../interface.ts';

/** The code of a value: text that nothing else has. */
export function codeOf(value: PlainData | undefined): string {
  if (value === undefined || value === null) return '-';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'object':
      return value instanceof Uint8Array ? bytesCode(value) : isList(value) ? listCode(value) : recordCode(value);
    default:
      return String(value);
  }
}

function isList(value: object): value is readonly PlainData[] {
  return Array.isArray(value);
}

function bytesCode(bytes: Uint8Array): string {
  let code = '<';
  for (const byte of bytes) code += String.fromCharCode(byte);
  return `${code}>${bytes.length}`;
}

function listCode(list: readonly PlainData[]): string {
  let code = '[';
  for (const item of list) code += `${codeOf(item)},`;
  return `${code}]`;
}

function recordCode(record: { readonly [key: string]: PlainData | undefined }): string {
  let code = '{';
  for (const name of Object.keys(record).sort()) {
    const value = record[name];
    if (value !== undefined) code += `${name}:${codeOf(value)},`;
  }
  return `${code}}`;
}

/** Whether a command stands somewhere in what was saved: as a string, or as JSON in bytes. */
export function speaksOf(saved: PlainData, command: string): boolean {
  return codeOf(saved).includes(JSON.stringify(command));
}

const seedA = 0x2545f491;
const seedB = 0x6a09e667;

/** 64 bits of a code. */
export function lanesOfCode(code: string): Lanes {
  let a = seedA;
  let b = seedB;
  for (let at = 0; at < code.length; at++) {
    const word = code.charCodeAt(at);
    a = mixA(a, word);
    b = mixB(b, word);
  }
  return { a: finish(a, b), b: finish(b, a ^ seedB) };
}
