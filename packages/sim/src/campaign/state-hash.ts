/** A running hash of all that a world's cores say and clients see: two runs that part show it, and so do two engines that disagree. */
import type { Input, Output } from '@quorate/raft';
import type { CoreLife } from '@quorate/runtime';
import type { Operation } from '../history.ts';
import type { AppliedEntry, Damage, WorldWatcher } from '../watch.ts';
import { emptyHash, hashNumber, hashText } from '../world/hash.ts';

export class StateHash implements WorldWatcher {
  value = emptyHash;

  onStart(server: string, { recovered }: CoreLife): void {
    this.#add(server, recovered.lastIndex, recovered.hardState.term);
  }

  onInput(server: string, input: Input): void {
    this.#add(input.kind, input.now, server.charCodeAt(server.length - 1));
  }

  onOutput(server: string, { persist, send, apply, arm }: Output): void {
    if (persist !== null) this.#add(server, persist.id, persist.entries.length);
    if (send.length > 0) this.#add('send', send.length, send[0]?.message.term ?? 0);
    if (apply !== null) this.#add('apply', apply.from, apply.to);
    if (arm.length > 0) this.#add('arm', arm.length, arm[0]?.generation ?? 0);
  }

  onSend(): void {
    // What leaves was handed out before, in `onOutput`.
  }

  onApply(server: string, { index, digest }: AppliedEntry): void {
    this.#add(server, index, digest);
  }

  onRestore(server: string, index: number, digest: number): void {
    this.#add(server, index, digest);
  }

  onCrash(server: string): void {
    this.#add(server, 0, 0);
  }

  onFatal(server: string, code: string): void {
    this.#add(server, code.length, 1);
  }

  onDamage(server: string, { offset, length }: Damage): void {
    this.#add(server, offset, length);
  }

  operation({ client, called, returned, outcome }: Operation): void {
    this.#add(outcome.kind, client, called);
    this.#add('', returned ?? 0, outcome.kind === 'ok' ? outcome.response.revision : 0);
  }

  #add(text: string, first: number, second: number): void {
    this.value = hashNumber(hashNumber(hashText(this.value, text), first), second);
  }
}
