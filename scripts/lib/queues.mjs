// What may wait for something, in every room: where it waits, which limit bounds it, and what happens at the limit. A limit is the name of a
// member of a `default…` object, of a `DEFAULT_…` constant, or 'file.ts: constant'; limits.mjs fails when it is not there.

const CORE = 'refused as `busy`, which the runtime tells as `Busy` with `retryAfter: 50` (ms)';
const DROPPED = 'dropped; the core is told, and sends again what is still wanted';
const TOO_MANY =
  '`etcdserver: too many requests` (ResourceExhausted), definite; try again after some 50 ms, longer each time';
const NOTHING = 'nothing is refused: the sender waits for an answer, or for room';

/** @type {readonly (readonly [what: string, limits: readonly string[], then: string])[]} */
export const queues = [
  // The consensus library.
  ['commands that a leader appended and has not committed', ['maxUncommittedBytes'], CORE],
  ['commands carried to the leader and not answered', ['maxUncommittedBytes'], CORE],
  ['reads that wait for a round of heartbeats, here or at the leader', ['maxPendingReads'], CORE],
  ['entries sent to a follower and not acknowledged', ['maxInflightMessages', 'maxInflightBytes'], NOTHING],
  ['entries in memory', ['maxLogCacheBytes'], 'older ones are read from storage when they are wanted'],
  [
    'damaged entries asked for at a time, and lent to a peer',
    ['maxFetchEntries', 'maxAppendBytes'],
    'the rest is asked for in the next round',
  ],
  // The node around it.
  ['commands of local callers', ['maxPendingProposals', 'maxPendingBytes'], '`Busy`, definite, `retryAfter: 50` (ms)'],
  [
    'changes of membership and transfers of local callers',
    ['maxPendingChanges'],
    '`ChangeRefused` (`busy`), `retryAfter: 50` (ms); `TransferFailed` (`busy`)',
  ],
  [
    'batches that wait for the disk, and messages that wait for them',
    ['maxUncommittedBytes', 'maxInflightBytes'],
    'a leader refuses commands as above; a follower gets no more than its leader has in flight',
  ],
  ['committed entries on their way to the state machine', ['maxApplyBytes'], NOTHING],
  [
    'results kept for commands whose place the leader has not told yet',
    ['packages/runtime/src/loop/proposals.ts: keptResults'],
    'the oldest is forgotten: that caller hears `OutcomeUnknown`',
  ],
  ['messages to a peer while its connection is being opened', ['maxConnectingMessages'], DROPPED],
  ['bytes towards a peer that the system has not taken', ['maxQueuedBytes'], DROPPED],
  [
    'bytes of a frame that is not whole',
    ['maxHandshakeBytes', 'maxFrameBytes'],
    'the connection is closed with a line in the log',
  ],
  [
    'connections of peers',
    ['maxInboundConnections'],
    'the newest is closed with a line in the log; the peer tries again after `reconnectMin` to `reconnectMax`',
  ],
  ['bytes of a snapshot on their way', ['snapshotQueuedBytes'], NOTHING],
  [
    'what the disk has no room for beside the reserve',
    ['reserveBytes'],
    '`DiskFull`, definite: the message says whether of this server or of the leader. Time does not help: make room. Free space is looked at again within `freePollInterval`',
  ],
  [
    'lives of members that have said that they begin',
    ['packages/runtime/src/known-lives.ts: maxKnownLives'],
    'the asker is refused (`busy`) and asks again',
  ],
  [
    'commands of a session that wait for their turn',
    ['window', 'maxWaiting'],
    '`Busy`, definite; `retryAfter` is `retryDelay`',
  ],
  [
    'sessions, and the answers kept for them',
    ['maxSessions', 'maxKeptBytes'],
    'the one that was used least recently ends: `SessionExpired`',
  ],
  // The store.
  ['writes that wait for their outcome', ['maxPendingWrites', 'maxPendingWriteBytes', 'maxApplyLag'], TOO_MANY],
  ['reads that wait for their read index', ['kv maxPendingReads'], TOO_MANY],
  ['large reads', ['maxActiveScans', 'maxQueuedScans'], TOO_MANY],
  // The server's ports.
  ['connections of clients on one address', ['maxConnections'], 'more are closed at once'],
  ['calls open on a connection', ['maxConcurrentStreams'], 'more wait at the client (HTTP/2)'],
  [
    'request bytes in unfinished messages',
    ['maxMessageBytes', 'maxConnectionRequestBytes', 'maxTotalRequestBytes'],
    'the call ends with ResourceExhausted; try again when others are done',
  ],
  [
    'answers that callers have not taken',
    ['maxStreamResponseBytes', 'maxTotalResponseBytes'],
    'the call ends with ResourceExhausted; what it asked for has been carried out all the same',
  ],
  [
    'lines of the log that standard error has not taken',
    ['packages/server/src/log/line-sink.ts: maxQueuedLogBytes'],
    'dropped, and counted in a line of their own',
  ],
  // The client.
  ['calls of a client', ['DEFAULT_MAX_CALLS'], '`TooManyCalls`, definite: await some of them'],
];
