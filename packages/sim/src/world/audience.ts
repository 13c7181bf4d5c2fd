/** Everybody who watches a world, as one watcher. What one of them finds broken ends the run, not the server that it found it in. */
import type { Input, Message, Output } from '@quorate/raft';
import type { CoreLife } from '@quorate/runtime';
import type { DiskFaultKind } from '../disk/index.ts';
import type { ActionKind } from './action.ts';
import { type AppliedEntry, type Damage, Violation, type WorldWatcher } from '../watch.ts';

export class Audience implements WorldWatcher {
  readonly watchers: WorldWatcher[] = [];
  /** The first invariant that was broken; nobody is told anything after it. */
  violation: Violation | null = null;

  /** Carries out what may find an invariant broken. */
  check(what: () => void): void {
    if (this.violation !== null) return;
    try {
      what();
    } catch (error) {
      this.#broken(error);
    }
  }

  onStart(server: string, life: CoreLife): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onStart(server, life)));
  }

  // Every step comes through these, several times: so there is no closure and no list made for a call.

  onInput(server: string, input: Input): void {
    if (this.violation !== null) return;
    try {
      for (const watcher of this.watchers) watcher.onInput(server, input);
    } catch (error) {
      this.#broken(error);
    }
  }

  onOutput(server: string, output: Output): void {
    if (this.violation !== null) return;
    try {
      for (const watcher of this.watchers) watcher.onOutput(server, output);
    } catch (error) {
      this.#broken(error);
    }
  }

  onSend(server: string, message: Message): void {
    if (this.violation !== null) return;
    try {
      for (const watcher of this.watchers) watcher.onSend(server, message);
    } catch (error) {
      this.#broken(error);
    }
  }

  onApply(server: string, entry: AppliedEntry): void {
    if (this.violation !== null) return;
    try {
      for (const watcher of this.watchers) watcher.onApply(server, entry);
    } catch (error) {
      this.#broken(error);
    }
  }

  onRestore(server: string, index: number, digest: number): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onRestore(server, index, digest)));
  }

  onCrash(server: string): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onCrash(server)));
  }

  onFatal(server: string, code: string, message: string): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onFatal(server, code, message)));
  }

  onRemoved(server: string): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onRemoved?.(server)));
  }

  onDamage(server: string, damage: Damage): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onDamage(server, damage)));
  }

  onDiskFault(server: string, kind: DiskFaultKind, path: string): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onDiskFault?.(server, kind, path)));
  }

  onAction(action: ActionKind): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onAction?.(action)));
  }

  onFaultsEnd(): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onFaultsEnd?.()));
  }

  onRest(): void {
    this.check(() => this.watchers.forEach((watcher) => watcher.onRest?.()));
  }

  #broken(error: unknown): void {
    if (!(error instanceof Violation)) throw error;
    this.violation = error;
  }
}
