import { Member } from '../api/index.ts';
import type { ByteReader, ByteWriter } from '../byte-stream.ts';

/** Members that may have published attributes. Far above any cluster's size. */
const maxMembers = 1024;

/**
 * What each member has told the others of itself: its name and the URLs on which clients and peers reach it. Who is a member
 * and who votes is the consensus configuration's business, not this.
 */
export class PublishedMembers {
  readonly #members = new Map<bigint, Member>();

  get(id: bigint): Member | undefined {
    return this.#members.get(id);
  }

  /** By rising id. */
  list(): readonly Member[] {
    return [...this.#members.values()].sort((a, b) => (a.ID < b.ID ? -1 : 1));
  }

  /** False if there is no room for another member. */
  publish(member: Member): boolean {
    if (!this.#members.has(member.ID) && this.#members.size >= maxMembers) return false;
    this.#members.set(member.ID, member);
    return true;
  }

  write(to: ByteWriter): void {
    const members = this.list();
    to.varint(members.length);
    for (const member of members) to.block(Member.encode(member));
  }

  static read(from: ByteReader): PublishedMembers {
    const published = new PublishedMembers();
    const count = from.varint();
    for (let i = 0; i < count; i++) published.publish(Member.decode(from.block()));
    return published;
  }
}
