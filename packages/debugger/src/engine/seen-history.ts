/** What was asked in a run that was seen from outside: by clients of a service where there are any, else the commands that leaders were handed. */
import type { SeenRun } from '@quorate/sim';
import type { RecordedHistory, RecordedOperation } from './recorded-history.ts';

export function seenHistory(run: SeenRun): RecordedHistory {
  const asked = askedOf(run);
  return {
    operations: asked.length > 0 ? asked : handedOf(run),
    verdict: run.failure === null ? 'ok' : 'violation',
    text: run.failure === null ? 'The test passed.' : `The test found: ${run.failure}`,
  };
}

function askedOf({ events }: SeenRun): readonly RecordedOperation[] {
  const operations = new Map<number, RecordedOperation>();
  for (const { at, event } of events) {
    if (event.kind === 'ask') {
      const { operation: id, client, text } = event;
      const kind = /\bget\b/i.test(text) ? 'read' : 'propose';
      const open = { state: 'open', calledAt: at, endedAt: null, index: 0, place: null, isStuck: false } as const;
      operations.set(id, { id, kind, server: `client ${client}`, text, ...open });
    } else if (event.kind === 'told') {
      const asked = operations.get(event.operation);
      if (asked === undefined) continue;
      operations.set(asked.id, { ...asked, state: 'done', endedAt: at, text: `${asked.text} → ${event.text}` });
    }
  }
  return [...operations.values()];
}

/** A command ends where anybody applies it. */
function handedOf({ events }: SeenRun): readonly RecordedOperation[] {
  const operations: RecordedOperation[] = [];
  const open = new Map<string, number>();
  for (const { at, server, event } of events) {
    if (event.kind === 'propose' && event.isLeader) {
      const { index, text } = event;
      const asked = { calledAt: at, endedAt: null, index, place: null, isStuck: false } as const;
      open.set(`${index} ${text}`, operations.length);
      operations.push({
        id: operations.length + 1,
        kind: 'propose',
        server: server ?? '',
        state: 'open',
        text,
        ...asked,
      });
    } else if (event.kind === 'apply') {
      const place = open.get(`${event.index} ${event.text}`);
      const operation = place === undefined ? undefined : operations[place];
      if (place === undefined || operation === undefined || operation.endedAt !== null) continue;
      operations[place] = { ...operation, state: 'done', endedAt: at };
    }
  }
  return operations;
}
