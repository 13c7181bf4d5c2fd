/** Files line by line, however long they are. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const chunkBytes = 1 << 20;

/** The lines of a file, without their ends. */
export function* readLines(path: string): Generator<string, void, undefined> {
  const file = openSync(path, 'r');
  const decoder = new StringDecoder('utf8');
  const chunk = Buffer.alloc(chunkBytes);
  try {
    // Pieces of a line that spans chunks; joined once it is whole.
    let pieces: string[] = [];
    for (let count = readSync(file, chunk); count > 0; count = readSync(file, chunk)) {
      const parts = decoder.write(chunk.subarray(0, count)).split('\n');
      for (const [position, part] of parts.entries()) {
        pieces.push(part);
        if (position === parts.length - 1) break;
        yield pieces.join('');
        pieces = [];
      }
    }
    const rest = pieces.join('') + decoder.end();
    if (rest !== '') yield rest;
  } finally {
    closeSync(file);
  }
}

/** Writes lines to a file that must not be there yet, for its owner alone: traces hold what clients wrote. */
export function writeLines(path: string, lines: Iterable<string>): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeAll(file, lines);
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, lines: Iterable<string>): void {
  let pending: string[] = [];
  let length = 0;
  for (const line of lines) {
    pending.push(line, '\n');
    length += line.length;
    if (length < chunkBytes) continue;
    writeWhole(file, pending.join(''));
    pending = [];
    length = 0;
  }
  writeWhole(file, pending.join(''));
}

function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}
