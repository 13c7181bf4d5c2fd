/** The peer protocol: what stands in a connection's first frames and how large anything may be. */

/** The first four bytes of a hello's payload: 'Qrm1'. */
export const magic = 0x316d7251;

/** Optional abilities as bits; a connection uses those that both sides have. None exist yet. */
export const supportedFeatures = 0;

/** The first byte of a payload. The numbers stand on the wire: never reuse one. */
export const FrameKind = {
  hello: 1,
  welcome: 2,
  refusal: 3,
  ping: 4,
  pong: 5,
  message: 6,
  snapshotOffer: 7,
  snapshotAccept: 8,
  snapshotChunk: 9,
  snapshotEnd: 10,
  snapshotDone: 11,
} as const;

/** What a connection is for. The numbers stand on the wire. */
export const Purpose = {
  /** Messages from the side that connected to the side that accepted, and nothing back but pongs. */
  messages: 1,
  /** One snapshot, then the end. */
  snapshot: 2,
  /** A fresh server asks what is known of it: the welcome is the answer, then the end. */
  question: 3,
  /** A member that begins has that written down: the welcome is the answer, when it is durable, then the end. */
  registration: 4,
} as const;
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

export interface TransportLimits {
  /** Time for a connection to open and finish its handshake. Microseconds. */
  readonly handshakeTimeout: number;
  /** The pause before the first reconnect, doubled up to the longest; each is drawn from [half, whole]. Microseconds. */
  readonly reconnectMin: number;
  readonly reconnectMax: number;
  /** How often an open connection is checked by a ping, and after how long without an answer it is given up. Microseconds. */
  readonly keepaliveInterval: number;
  readonly keepaliveTimeout: number;
  /** Messages kept for a peer while a connection to it is being opened; further ones are dropped. */
  readonly maxConnectingMessages: number;
  /** Bytes queued towards a peer and not yet taken by the system; beyond it messages are dropped. */
  readonly maxQueuedBytes: number;
  /** Largest frame before the handshake is done. Bytes. */
  readonly maxHandshakeBytes: number;
  /** Largest frame after it. Bytes. */
  readonly maxFrameBytes: number;
  /** Accepted connections at a time; further ones are closed at once. */
  readonly maxInboundConnections: number;
  /** Snapshot bytes in one frame, and how many may be queued before the sender waits for the receiver. */
  readonly snapshotChunkBytes: number;
  readonly snapshotQueuedBytes: number;
  /** Snapshots go to one peer after the other; how long the others wait for a peer that takes no more bytes for now. Microseconds. */
  readonly snapshotPatience: number;
}

export const defaultTransportLimits: TransportLimits = {
  handshakeTimeout: 5_000_000,
  reconnectMin: 20_000,
  reconnectMax: 1_000_000,
  keepaliveInterval: 1_000_000,
  keepaliveTimeout: 5_000_000,
  maxConnectingMessages: 256,
  maxQueuedBytes: 64 << 20,
  maxHandshakeBytes: 4096,
  maxFrameBytes: 32 << 20,
  maxInboundConnections: 256,
  snapshotChunkBytes: 256 << 10,
  snapshotQueuedBytes: 1 << 20,
  snapshotPatience: 100_000,
};
