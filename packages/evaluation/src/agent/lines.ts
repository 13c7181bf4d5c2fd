import type { Readable } from 'node:stream';

/** Calls back with each line that arrives. Destroys the stream when one is longer than `maxBytes`. */
export function eachLine(stream: Readable, maxBytes: number, onLine: (line: string) => void): void {
  let chunks: Buffer[] = [];
  let held = 0;
  stream.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      chunks.push(chunk.subarray(from, end));
      const line = Buffer.concat(chunks).toString('utf8');
      chunks = [];
      held = 0;
      from = end + 1;
      onLine(line);
    }
    if (from === chunk.length) return;
    chunks.push(chunk.subarray(from));
    held += chunk.length - from;
    if (held > maxBytes) stream.destroy(new Error(`A line of more than ${maxBytes} bytes.`));
  });
}
