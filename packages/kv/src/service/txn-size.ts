/**
 * How large a transaction is, read off its bytes. A request of 1.5 MiB has room for hundreds of thousands of empty operations;
 * it is refused before an object is made for each of them. (If an operation before a nested list that is too long has a fault
 * of its own, etcd names that one first.)
 */
import { Reader } from '../api/wire/reader.ts';

/** Tags of TxnRequest's lists (all length-delimited), and of the transaction in a RequestOp. */
const compareTag = 10;
const successTag = 18;
const failureTag = 26;
const requestTxnTag = 34;

/**
 * Whether some list of the transaction, or of one nested in it, is longer than allowed: at most `maxOperations`, less by the
 * longest list of every transaction around it.
 *
 * @throws ProtobufError when the bytes are no transaction.
 */
export function hasTooManyOperations(request: Uint8Array, maxOperations: number): boolean {
  const left = maxOperations - longestList(new Reader(request));
  if (left < 0) return true;
  const reader = new Reader(request);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag !== successTag && tag !== failureTag) reader.skip(tag);
    else if (operationExceeds(reader, left)) return true;
  }
  return false;
}

function longestList(reader: Reader): number {
  const lengths = { [compareTag]: 0, [successTag]: 0, [failureTag]: 0 };
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === compareTag || tag === successTag || tag === failureTag) lengths[tag]++;
    reader.skip(tag);
  }
  return Math.max(lengths[compareTag], lengths[successTag], lengths[failureTag]);
}

function operationExceeds(reader: Reader, maxOperations: number): boolean {
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    if (tag !== requestTxnTag) reader.skip(tag);
    else if (hasTooManyOperations(reader.view(), maxOperations)) return true;
  }
  reader.leave(outer);
  return false;
}
