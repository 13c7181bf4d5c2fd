/** Debug lines by topic: for people who watch the algorithm at work. */

/** What can be watched. */
export const debugTopics = ['votes', 'heartbeats', 'connections', 'reads', 'writes', 'state'] as const;
export type DebugTopic = (typeof debugTopics)[number];

/**
 * Where debug lines go. `on` is looked at before a line is put together, so a topic that is off costs one property read.
 * The owner may change it while the node runs.
 */
export interface Observer {
  readonly on: Readonly<Record<DebugTopic, boolean>>;
  line(topic: DebugTopic, text: string): void;
}

/** Watches nothing. */
export const silentObserver: Observer = {
  on: { votes: false, heartbeats: false, connections: false, reads: false, writes: false, state: false },
  line: () => undefined,
};
