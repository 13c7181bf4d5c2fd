/**
 * The key-value service on one server that cannot fail: what is started is committed. Its answers are those that any number of servers
 * must give to the same operations, one behind the other.
 */
import { LabPersister } from '../cluster/lab-persister.ts';
import type { RaftServer } from '../interface.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { KvRequest } from './operations.ts';
import { type KvMethod, type KvReply, kvService } from './kv-server.ts';

const CLIENT = 0;

export class SingleServer {
  readonly #scheduler: Scheduler;
  readonly #service;
  #sequence = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    let index = 0;
    const raft: RaftServer = {
      start: (command) => {
        const at = ++index;
        // Not from inside: the service puts down who waits once it knows the index.
        scheduler.after(0, () => this.#service.apply({ kind: 'command', index: at, command }));
        return { index: at, term: 1, isLeader: true };
      },
      getState: () => ({ term: 1, isLeader: true }),
      snapshot: () => undefined,
      kill: () => undefined,
    };
    this.#service = kvService(-1)({ server: 0, raft, persister: new LabPersister(), scheduler });
  }

  /** What the key holds where that is asked for, '' if there is no such key; '' for what writes. */
  ask(key: string, request: Exclude<KvRequest, { readonly kind: 'cas' }>): Promise<string> {
    this.#sequence += 1;
    const value = request.kind === 'get' ? '' : request.value;
    const args = { client: CLIENT, sequence: this.#sequence, key, value };
    const method: KvMethod = `KV.${request.kind}`;
    return new Promise((resolve, reject) => {
      this.#service.handle(method, args, (answer) => {
        const reply = answer as unknown as KvReply;
        this.#scheduler.wakes();
        if (reply.kind === 'ok') resolve(reply.value ?? '');
        else reject(new Error(`A server that cannot fail answered ${reply.kind}.`));
      });
    });
  }

  end(): void {
    this.#service.kill();
  }
}
