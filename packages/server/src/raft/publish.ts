/** Tells all servers by the log what this one is called and where its clients reach it, as etcd does. */
import type { KvService } from '@quorate/kv';
import type { Member } from '@quorate/kv/api';
import type { Environment } from '@quorate/runtime';

/** After a failed attempt. Microseconds. */
const retryAfter = 500_000;

/**
 * Calls `done` when the member is published: a leader is known by then, and this server has applied what it committed.
 * Tries until it succeeds; to publish the same twice changes nothing, so an unknown outcome may be tried again too.
 * Returns the way to stop.
 */
export function publishMember(
  kv: KvService,
  { clock, timers, logger }: Environment,
  member: Member,
  attemptTimeout: number,
  done: () => void,
): () => void {
  let stopped = false;
  let handle: ReturnType<typeof timers.set> | null = null;
  const attempt = (): void => {
    handle = null;
    kv.publishMember(member, clock.now() + attemptTimeout, (failure) => {
      if (stopped) return;
      if (failure === null) {
        done();
        return;
      }
      logger.log('info', 'This server is not in the member list yet, it tries again', { reason: failure.message });
      handle = timers.set(retryAfter, attempt);
    });
  };
  attempt();
  return () => {
    stopped = true;
    if (handle !== null) timers.clear(handle);
  };
}
