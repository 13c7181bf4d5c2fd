import type { PlainData } from '../interface.ts';

/** In the style of handlers all calls go through one method, which says what is meant. */
export function unwrapped<Data>(method: string, args: Data): { readonly method: string; readonly args: Data } {
  if (method !== 'handle' || typeof args !== 'object' || args === null) return { method, args };
  const { method: meant, args: own } = args as { readonly method?: unknown; readonly args?: Data };
  return typeof meant === 'string' && own !== undefined ? { method: meant, args: own } : { method, args };
}

/** The field that a Raft's messages have by the paper, whatever its capitals; 0 if there is none. */
export function termOf(value: PlainData): number {
  if (!isFields(value)) return 0;
  const term = value['term'] ?? value['Term'];
  return typeof term === 'number' && Number.isSafeInteger(term) && term > 0 ? term : 0;
}

function isFields(value: PlainData): value is { readonly [key: string]: PlainData | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
