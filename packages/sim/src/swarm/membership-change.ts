/** What the adversary wishes for the membership: anything that leaves enough voters. */
import { type Configuration, isJoint, isVoter, type MemberChange, type Term } from '@quorate/raft';
import type { ServerProcess } from '../world/process.ts';
import { addressOf } from '../world/process.ts';
import type { Hands } from './hands.ts';

const SECOND = 1_000_000;

/** Who put an empty disk in asks for the server to be let in again: so often, at most, and so long after each other. */
const READMISSIONS = 5;
const READMISSION_PAUSE = 3 * SECOND;

/** How long after an election it is asked, at most: until the leader has committed something, it must refuse. Microseconds. */
const moments = [300, 3_000, 30_000] as const;

export class MembershipChange {
  readonly #hands: Hands;
  /** The fewest voters that there may be. */
  readonly #voters: number;
  /** Servers that have been members. */
  readonly #members = new Set<string>();
  /** The next leader, one of this term or later, is asked as soon as it is elected; 0: it is not. */
  #dueFrom: Term = 0;

  constructor(hands: Hands, voters: number) {
    this.#hands = hands;
    this.#voters = voters;
  }

  /** Somebody asks for a change, of any server now, or of the next leader just when it is elected. */
  change(): void {
    const { world, stream } = this.#hands;
    const server = stream.pick(world.servers);
    if (stream.below(4) > 0) return this.#ask(server);
    this.#dueFrom = (leaderOf(world.servers)?.term ?? 0) + 1;
    this.transfer();
  }

  onOutput({ id, node }: ServerProcess): void {
    if (this.#dueFrom === 0 || node === null || !node.isLeader || node.term < this.#dueFrom) return;
    this.#dueFrom = 0;
    const { world, stream } = this.#hands;
    this.#hands.later(stream.below(stream.pick(moments)), () => this.#ask(world.server(id)));
  }

  /** Servers that have left begin anew. */
  #ask(server: ServerProcess): void {
    const { world } = this.#hands;
    const view = leaderOf(world.servers)?.configuration;
    if (view === undefined) return;
    for (const { id } of view.members) this.#members.add(id);
    this.#reformatSome(view);
    const wishes = this.#wishes(view);
    if (wishes.length > 0) this.#hands.do({ kind: 'change', server: server.id, changes: wishes });
  }

  /** Leadership is to go to a server, or to whichever is closest. */
  transfer(): void {
    const { world, stream } = this.#hands;
    const target = stream.pick(world.servers);
    const leader = leaderOf(world.servers);
    if (leader === null) return;
    this.#hands.do({ kind: 'transfer', server: leader.id, target: stream.below(3) === 0 ? '' : target.id });
  }

  /** The server was started on an empty disk: as soon as it runs, and a leader knows it by another life, it is to be let in again. */
  readmitSoon(id: string, attempts = READMISSIONS): void {
    if (attempts === 0) return;
    this.#hands.later(READMISSION_PAUSE, () => {
      if (!this.#readmit(id)) this.readmitSoon(id, attempts - 1);
    });
  }

  #readmit(id: string): boolean {
    const { world } = this.#hands;
    const leader = leaderOf(world.servers);
    const incarnation = world.server(id).node?.status().incarnation;
    const bound = leader?.configuration.members.find((member) => member.id === id)?.incarnation ?? null;
    if (leader === null || incarnation === undefined || bound === null || bound === incarnation) return false;
    return this.#hands.do({ kind: 'change', server: leader.id, changes: [{ op: 'readmit', id, incarnation }] });
  }

  /** One to three wishes, each for another server. */
  #wishes(view: Configuration): readonly MemberChange[] {
    const { world, stream } = this.#hands;
    const wishes = new Map<string, MemberChange>();
    const lasting = view.target?.voters ?? view.voters;
    let voters = lasting.length;
    for (let count = stream.between(1, 3); count > 0; count--) {
      const server = stream.pick(world.servers);
      if (wishes.has(server.id)) continue;
      const wish = this.#wish(view, server, voters > this.#voters);
      if (wish === null) continue;
      if ((wish.op === 'remove' || wish.op === 'demote') && lasting.includes(server.id)) voters--;
      wishes.set(server.id, wish);
    }
    return this.#withReplacement(view, wishes);
  }

  #wish(view: Configuration, { id }: ServerProcess, maySpare: boolean): MemberChange | null {
    const { stream } = this.#hands;
    const isMember = view.members.some((member) => member.id === id);
    const drawn = stream.below(4);
    if (!isMember) return this.#members.has(id) ? null : { op: 'add', id, context: addressOf(id), voter: drawn > 0 };
    if (!isVoter(view, id)) return drawn === 0 && maySpare ? { op: 'remove', id } : { op: 'promote', id };
    if (drawn === 0) return { op: 'update', id, context: addressOf(id) };
    if (!maySpare) return null;
    return drawn === 1 ? { op: 'demote', id } : { op: 'remove', id };
  }

  /** A newcomer may take the place of a voter in the same change. */
  #withReplacement(view: Configuration, wishes: Map<string, MemberChange>): readonly MemberChange[] {
    const { stream } = this.#hands;
    const hasNewcomer = [...wishes.values()].some((wish) => wish.op === 'add' && wish.voter);
    const id = stream.pick(view.voters.length > 0 ? view.voters : ['']);
    if (hasNewcomer && stream.below(2) === 0 && !wishes.has(id)) wishes.set(id, { op: 'remove', id });
    return [...wishes.values()];
  }

  /** A server whose removal is committed starts over, as a person would have it. */
  #reformatSome(view: Configuration): void {
    const { world, stream } = this.#hands;
    const leader = leaderOf(world.servers);
    if (isJoint(view) || view.target !== null || leader === null || view.index > leader.commitIndex) return;
    const left = world.servers.filter(
      ({ id }) => this.#members.has(id) && !view.members.some((member) => member.id === id),
    );
    if (left.length === 0) return;
    const { id } = stream.pick(left);
    this.#hands.do({ kind: 'crash', server: id, how: 'process' });
    if (!this.#hands.do({ kind: 'reformat', server: id })) return;
    this.#members.delete(id);
    this.#hands.later(stream.below(SECOND), () => this.#hands.do({ kind: 'start', server: id }));
  }
}

/** Of those that believe to lead, the one of the newest term. */
function leaderOf(servers: readonly ServerProcess[]) {
  const leading = servers.flatMap(({ node }) => (node?.isLeader === true ? [node] : []));
  return leading.reduce<(typeof leading)[number] | null>(
    (best, node) => (node.term > (best?.term ?? 0) ? node : best),
    null,
  );
}
