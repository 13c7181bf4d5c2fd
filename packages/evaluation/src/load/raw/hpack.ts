import { decodeHuffman } from './huffman.ts';

/** What the load generator must know of a response's headers. Everything else is decoded only to keep the table right. */
export interface ResponseHeaders {
  status: string | null;
  grpcStatus: string | null;
  grpcMessage: string | null;
}

interface TableEntry {
  readonly name: string;
  readonly value: string;
  /** The length of the true name: names that do not matter here are left empty. */
  readonly nameLength: number;
}

const STATIC_ENTRIES = 61;
const MAX_TABLE_BYTES = 4096;
/** What an entry counts besides its texts (RFC 7541 §4.1). */
const ENTRY_OVERHEAD = 32;

/** Names and values of the static table (RFC 7541, appendix A) that matter here; the rest stay anonymous. */
const STATIC_STATUS: ReadonlyMap<number, string> = new Map([
  [8, '200'],
  [9, '204'],
  [10, '206'],
  [11, '304'],
  [12, '400'],
  [13, '404'],
  [14, '500'],
]);
/** Lengths of the static names: a literal that takes its name from there has to be counted with it. */
// biome-ignore format: a table of 20 columns
const STATIC_NAME_LENGTHS = [
  0, 10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27,
  3, 5, 13, 13, 19, 16, 16, 14, 16, 13, 12, 6, 4, 4, 6, 7, 4, 4, 8, 17,
  13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10, 25, 17, 10, 4, 3, 16,
];

/** Decodes the header blocks of one connection (RFC 7541). Blocks must come in the order in which they were sent. */
export class HpackDecoder {
  /** Newest first. */
  readonly #dynamic: TableEntry[] = [];
  #bytes = 0;
  #limit = MAX_TABLE_BYTES;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  decode(block: Uint8Array): ResponseHeaders {
    this.#block = block;
    this.#at = 0;
    const headers: ResponseHeaders = { status: null, grpcStatus: null, grpcMessage: null };
    while (this.#at < block.length) this.#field(headers);
    return headers;
  }

  #field(headers: ResponseHeaders): void {
    const first = this.#block[this.#at] ?? 0;
    if (first >= 0x80) return note(headers, this.#lookUp(this.#integer(7)));
    if (first >= 0x40) {
      const entry = this.#literal(this.#integer(6));
      this.#insert(entry);
      return note(headers, entry);
    }
    if (first >= 0x20) return this.#resize(this.#integer(5));
    note(headers, this.#literal(this.#integer(4)));
  }

  #literal(nameIndex: number): TableEntry {
    const named = nameIndex === 0 ? null : this.#lookUp(nameIndex);
    const name = named === null ? this.#string() : named.name;
    return { name, value: this.#string(), nameLength: named?.nameLength ?? name.length };
  }

  #lookUp(index: number): TableEntry {
    if (index <= STATIC_ENTRIES) {
      const status = STATIC_STATUS.get(index);
      const nameLength = STATIC_NAME_LENGTHS[index] ?? 0;
      return { name: status === undefined ? '' : ':status', value: status ?? '', nameLength };
    }
    const entry = this.#dynamic[index - STATIC_ENTRIES - 1];
    if (entry === undefined) throw new Error(`A header names entry ${index} of the table, which does not exist.`);
    return entry;
  }

  #insert(entry: TableEntry): void {
    this.#dynamic.unshift(entry);
    this.#bytes += sizeOf(entry);
    this.#evict();
  }

  #resize(limit: number): void {
    this.#limit = limit;
    this.#evict();
  }

  #evict(): void {
    while (this.#bytes > this.#limit) {
      const oldest = this.#dynamic.pop();
      if (oldest === undefined) throw new Error('The table of headers is empty and yet too large.');
      this.#bytes -= sizeOf(oldest);
    }
  }

  #string(): string {
    const huffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw new Error('A header string ends behind its block.');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return huffman ? decodeHuffman(bytes) : String.fromCharCode(...bytes);
  }

  /** An integer with a prefix of `bits` bits (RFC 7541 §5.1). */
  #integer(bits: number): number {
    const mask = 2 ** bits - 1;
    let value = (this.#block[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#block[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('A header holds an integer that does not end.');
  }
}

function sizeOf(entry: TableEntry): number {
  return entry.nameLength + entry.value.length + ENTRY_OVERHEAD;
}

function note(headers: ResponseHeaders, entry: TableEntry): void {
  if (entry.name === ':status') headers.status = entry.value;
  else if (entry.name === 'grpc-status') headers.grpcStatus = entry.value;
  else if (entry.name === 'grpc-message') headers.grpcMessage = entry.value;
}

/** A literal with incremental indexing and a new name: puts itself into the server's table. */
export function indexedLiteral(name: string, value: string): Uint8Array {
  return Uint8Array.from([0x40, ...plainString(name), ...plainString(value)]);
}

function plainString(text: string): number[] {
  if (text.length > 126) throw new Error(`The header text "${text}" is longer than 126 characters.`);
  return [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];
}
