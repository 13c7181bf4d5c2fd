/**
 * Operations a second that the search for an order judges, by length of the history, clients at once, and the share of writes whose
 * outcome nobody knows. `node packages/sim/bench/linearizability.bench.mjs`, after `npm run build`. Histories are legal, as nearly all
 * are that are ever judged, and nothing but what clients saw is told: no committed order helps.
 *
 * A *part* is a group of keys that no operation leaves. The simulator's histories are short; `npm run chaos` leaves a group after some
 * hundred operations, which is what makes its history as long as anyone likes.
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { checkLinearizability, RandomStream } from '@quorate/sim';

const KEYS = 3;
/** Steps of the search for each part, as in a campaign. */
const STEPS = 200_000;

/** One legal history: every operation takes effect at a moment between its call and its return. */
function history({ operations, clients, unknown, part }, stream) {
  const events = [];
  const free = Array.from({ length: clients }, (_, client) => ({ client, at: stream.below(1000) }));
  let nextClient = clients;
  for (let made = 0; made < operations; made++) {
    const who = free.reduce((a, b) => (b.at < a.at ? b : a));
    const called = who.at;
    const effect = called + 1 + stream.below(1000);
    const returned = effect + 1 + stream.below(1000);
    const request = draw(Math.floor(made / part), made, stream);
    const isUnknown = request.kind !== 'range' && stream.chance(unknown);
    events.push({
      client: who.client,
      request,
      called,
      effect,
      returned,
      isUnknown,
      happens: !isUnknown || stream.chance(500),
    });
    if (isUnknown) who.client = nextClient++;
    who.at = returned + 1 + stream.below(200);
  }
  return carryOut(events);
}

function draw(group, number, stream) {
  const key = `${group}/${stream.below(KEYS)}`;
  const other = `${group}/${stream.below(KEYS)}`;
  const get = { kind: 'range', key, rangeEnd: '', revision: 0, limit: 0, serializable: false };
  const put = { kind: 'put', key: other, value: `${number}` };
  switch (stream.below(5)) {
    case 0:
    case 1:
      return get;
    case 2:
    case 3:
      return put;
    default: {
      const compare = [{ key, target: 'version', result: 'greater', value: stream.below(50) }];
      return { kind: 'txn', txn: { compare, success: [put], failure: [get] } };
    }
  }
}

/** The store, to the letter of what answers show. */
function carryOut(events) {
  const store = new Map();
  let revision = 1;
  const simple = (request) => {
    if (request.kind === 'range') {
      const item = store.get(request.key);
      const kvs = item === undefined ? [] : [item];
      return { kind: 'range', revision, count: kvs.length, more: false, kvs };
    }
    const { key, value } = request;
    const before = store.get(key);
    const [createRevision, version] = [before?.createRevision ?? revision, (before?.version ?? 0) + 1];
    store.set(key, { key, value, createRevision, modRevision: revision, version });
    return { kind: 'put', revision, previous: before ?? null };
  };
  const answers = new Map();
  for (const event of events.toSorted((a, b) => a.effect - b.effect)) {
    if (!event.happens) continue;
    const { request } = event;
    if (request.kind !== 'txn') {
      if (request.kind === 'put') revision++;
      answers.set(event, simple(request));
      continue;
    }
    const succeeded = request.txn.compare.every(({ key, value }) => (store.get(key)?.version ?? 0) > value);
    if (succeeded) revision++;
    const responses = (succeeded ? request.txn.success : request.txn.failure).map(simple);
    answers.set(event, { kind: 'txn', revision, succeeded, responses });
  }
  return events.map((event) => {
    const { client, request, called, returned, isUnknown } = event;
    return isUnknown
      ? { client, request, called, returned: null, outcome: { kind: 'unknown', code: 'no answer' } }
      : { client, request, called, returned, outcome: { kind: 'ok', response: answers.get(event) } };
  });
}

function measure(shape) {
  const whole = history(shape, new RandomStream(1));
  const began = performance.now();
  const verdicts = checkLinearizability(whole, STEPS);
  const seconds = (performance.now() - began) / 1000;
  const count = (kind) => verdicts.filter(({ verdict }) => verdict.kind === kind).length;
  if (count('violation') > 0) {
    console.log('a legal history was refused');
    process.exitCode = 1;
  }
  const unknown = `${(shape.unknown / 10).toFixed(1)} %`;
  const part = shape.part >= shape.operations ? 'all' : `${shape.part}`;
  const rate = Math.round(whole.length / seconds);
  const undecided = count('unknown') === 0 ? '0' : `${count('unknown')} of ${verdicts.length}`;
  console.log(`| ${shape.operations} | ${part} | ${shape.clients} | ${unknown} | ${rate} | ${undecided} |`);
}

/** [operations, to a part, clients, unknown in a thousand writes] */
const shapes = [
  [10_000, 300, 2, 0],
  [10_000, 300, 5, 0],
  [10_000, 300, 5, 10],
  [10_000, 300, 5, 50],
  [10_000, 300, 12, 0],
  [10_000, 300, 12, 10],
  [10_000, 10_000, 2, 0],
  [10_000, 10_000, 5, 0],
  [10_000, 10_000, 5, 10],
  [100_000, 300, 2, 0],
  [100_000, 300, 2, 10],
  [100_000, 300, 5, 0],
  [100_000, 300, 5, 10],
];
console.log(
  '| operations | to a part | clients | unknown | operations a second | parts undecided |\n|---|---|---|---|---|---|',
);
for (const [operations, part, clients, unknown] of shapes) measure({ operations, part, clients, unknown });
