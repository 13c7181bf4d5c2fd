/** What the clients of a world of whole nodes asked and were told, and an order that explains it (linearizability). */
import {
  checkLinearizability,
  describeCall,
  type KvRequest,
  type Operation,
  placesOf,
  type SeedResult,
} from '@quorate/sim';
import type { HistoryView } from './history.ts';
import type { RecordedHistory, RecordedOperation } from './recorded-history.ts';

/** Operations tried before the judge gives up: answers come while a person waits. */
const stepBudget = 200_000;

export function planHistory({ history, committed, violation }: SeedResult): RecordedHistory {
  const known = placesOf(history, committed());
  const revisions = new Map([...known].map(([operation, { revision }]) => [operation, revision]));
  const parts = checkLinearizability(history, stepBudget, revisions);
  const places = new Map<Operation, number>();
  let stuck: Operation | null = null;
  let verdict: HistoryView['verdict'] = 'ok';
  for (const part of parts) {
    const order = part.verdict.kind === 'ok' ? part.verdict.order : 'prefix' in part.verdict ? part.verdict.prefix : [];
    order.forEach((at, place) => {
      const operation = part.operations[at];
      if (operation !== undefined) places.set(operation, place + 1);
    });
    if (part.verdict.kind === 'violation') stuck ??= part.operations[part.verdict.stuck] ?? null;
    verdict = worse(verdict, part.verdict.kind);
  }
  const numbered = [...history].sort((a, b) => a.called - b.called);
  const operations = numbered.map(
    (operation, at): RecordedOperation => ({
      id: at + 1,
      kind: isRead(operation.request) ? 'read' : 'propose',
      server: `client ${operation.client}`,
      state: operation.outcome.kind === 'ok' ? 'done' : operation.outcome.kind,
      text: describeCall(operation),
      calledAt: operation.called,
      endedAt: operation.returned,
      index: known.get(operation)?.index ?? 0,
      place: places.get(operation) ?? null,
      isStuck: operation === stuck,
    }),
  );
  return { operations, verdict, text: textOf(verdict, places.size, parts.length, violation !== null, stuck) };
}

function worse(a: HistoryView['verdict'], b: HistoryView['verdict']): HistoryView['verdict'] {
  if (a === 'violation' || b === 'violation') return 'violation';
  return a === 'unknown' ? a : b;
}

function isRead(request: KvRequest): boolean {
  return request.kind === 'range';
}

function textOf(
  verdict: HistoryView['verdict'],
  placed: number,
  parts: number,
  isCutShort: boolean,
  stuck: Operation | null,
): string {
  const whole = isCutShort ? ' The run ended where an invariant broke: calls that were under way have no answer.' : '';
  const groups = parts === 1 ? 'one group of keys' : `${parts} groups of keys that no call leaves`;
  switch (verdict) {
    case 'ok':
      return `Linearizable: ${placed} operations in ${groups} have an order that explains every answer.${whole}`;
    case 'violation':
      return `Not linearizable: no order can take in ${stuck === null ? 'one of them' : describeCall(stuck)}.${whole}`;
    case 'unknown':
      return `Too many operations overlap: the judge gave up before all ${groups} were decided.${whole}`;
  }
}
