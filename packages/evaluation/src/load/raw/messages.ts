import { PutRequest, RangeRequest } from '@quorate/kv/api';

/** All keys have this form, so that a prepared message is made another's by writing its digits. */
const KEY_DIGITS = 12;
const KEY_PREFIX = 'key/';

/** A request message whose key can be exchanged in place. */
export interface MessageTemplate {
  readonly bytes: Uint8Array;
  /** Writes the key of number `n`. */
  setKey(n: number): void;
}

export function keyOf(n: number): string {
  return `${KEY_PREFIX}${String(n).padStart(KEY_DIGITS, '0')}`;
}

export function putTemplate(valueBytes: number): MessageTemplate {
  const value = Uint8Array.from({ length: valueBytes }, (_, at) => (at * 167 + 13) & 0xff);
  return template(PutRequest.encode(PutRequest.create({ key: new TextEncoder().encode(keyOf(0)), value })));
}

export function rangeTemplate(serializable = false): MessageTemplate {
  return template(RangeRequest.encode(RangeRequest.create({ key: new TextEncoder().encode(keyOf(0)), serializable })));
}

function template(bytes: Uint8Array): MessageTemplate {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(keyOf(0));
  if (at < 0) throw new Error('The encoded request does not hold its key.');
  const last = at + KEY_PREFIX.length + KEY_DIGITS - 1;
  return {
    bytes,
    setKey(n) {
      let left = n;
      for (let digit = last; digit > last - KEY_DIGITS; digit--) {
        bytes[digit] = 48 + (left % 10);
        left = Math.floor(left / 10);
      }
    },
  };
}
