/** Changes of membership and what is told of them. */
import {
  type AddedMember,
  MembershipChangeRequest,
  type MembershipView,
  MemberOperation,
  MemberWish,
  type MemberView,
  type ResponseHeader,
} from '@quorate/kv/api';
import { MalformedResponse } from './errors.ts';
import { type Answered, answered } from './results.ts';

/** One wish of a change; a change has at most one for each member. Ids as the member list shows them. */
export type MembershipWish =
  /** The server at these addresses is let in. A voter is a learner until it has caught up. */
  | { readonly op: 'add'; readonly peerURLs: readonly string[]; readonly name?: string; readonly voter: boolean }
  | { readonly op: 'remove' | 'promote' | 'demote'; readonly id: bigint }
  | { readonly op: 'update'; readonly id: bigint; readonly peerURLs: readonly string[] }
  /** The member lost its disk and begins anew, with this data directory. */
  | { readonly op: 'readmit'; readonly id: bigint; readonly incarnation: string };

export interface MembershipResult extends Answered, Readonly<Omit<MembershipView, 'members'>> {
  readonly members: readonly Readonly<MemberView>[];
  /** Of a change: the ids that its additions were given, in their order. */
  readonly addedIds: readonly bigint[];
}

const operations = {
  add: MemberOperation.ADD,
  remove: MemberOperation.REMOVE,
  promote: MemberOperation.PROMOTE,
  demote: MemberOperation.DEMOTE,
  update: MemberOperation.UPDATE,
  readmit: MemberOperation.READMIT,
} as const;

export function changeRequest(
  wishes: readonly MembershipWish[],
  version: number | undefined,
  dryRun: boolean,
): MembershipChangeRequest {
  return MembershipChangeRequest.create({
    wishes: wishes.map(wishMessage),
    atVersion: version !== undefined,
    version: version ?? 0,
    dryRun,
  });
}

function wishMessage(wish: MembershipWish): MemberWish {
  const op = operations[wish.op];
  if (wish.op === 'add') {
    return MemberWish.create({ op, peerURLs: [...wish.peerURLs], name: wish.name ?? '', voter: wish.voter });
  }
  if (wish.op === 'update') return MemberWish.create({ op, ID: wish.id, peerURLs: [...wish.peerURLs] });
  if (wish.op === 'readmit') return MemberWish.create({ op, ID: wish.id, incarnation: wish.incarnation });
  return MemberWish.create({ op, ID: wish.id });
}

/**
 * @throws MalformedResponse when there is no header or no view.
 */
export function membershipResult(
  header: ResponseHeader | undefined,
  added: readonly AddedMember[],
  view: MembershipView | undefined,
): MembershipResult {
  if (view === undefined) throw new MalformedResponse('an answer about the membership without the membership');
  return { ...answered(header), ...view, addedIds: added.map(({ ID }) => ID) };
}
