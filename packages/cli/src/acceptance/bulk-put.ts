import type { Client } from '@quorate/client';

export interface BulkOptions {
  readonly entries: number;
  readonly valueBytes: number;
  /** The entries overwrite this many keys in turn. */
  readonly keys: number;
  readonly prefix: string;
  /** Superseded revisions are forgotten after so many entries; never if left out. */
  readonly compactEvery?: number;
  /** Called now and then with the number of entries written. */
  readonly onProgress?: (written: number) => void;
}

const IN_FLIGHT = 64;
const TIMEOUT_MS = 30_000;

/** Writes many entries, one put each. Any failure ends it. */
export async function bulkPut(client: Client, options: BulkOptions): Promise<void> {
  const { entries, valueBytes, keys, prefix, compactEvery, onProgress } = options;
  const value = new Uint8Array(valueBytes).fill(0x71);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < entries) {
      const n = next++;
      const { revision } = await client.put(`${prefix}${n % keys}`, value, { timeout: TIMEOUT_MS });
      if (compactEvery === undefined || n === 0 || n % compactEvery !== 0) continue;
      await client.compact(revision - IN_FLIGHT, { timeout: TIMEOUT_MS });
      onProgress?.(n);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Writes `count` different keys, many to a transaction. */
export async function manyKeys(client: Client, count: number, prefix: string): Promise<void> {
  const perTxn = 100;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const first = next;
      next += perTxn;
      const keys = Array.from({ length: Math.min(perTxn, count - first) }, (_, at) => first + at);
      await client.txn(
        { success: keys.map((n) => ({ op: 'put', key: `${prefix}${String(n).padStart(8, '0')}`, value: `${n}` })) },
        { timeout: TIMEOUT_MS },
      );
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
