/** Bytes that no honest program sends, from a seed. */

const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
/** The first bytes of a peer's hello: what gets past a port scanner's guess. */
const PEER_MAGIC = Buffer.from([0x51, 0x72, 0x6d, 0x31]);
const MAX_BYTES = 64 * 1024;

const HTTP1 = [
  'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
  'POST /etcdserverpb.KV/Put HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n',
  'GET /debug/raft HTTP/9.9\r\n\r\n',
  `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
  `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(3_000)}\r\n`,
  'PUT /debug/topics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nvotes',
];

export class Rubbish {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** For the client port: noise, broken HTTP/1, HTTP/2 frames of all kinds with wrong contents, broken gRPC. */
  forClients(): Uint8Array {
    switch (this.#below(5)) {
      case 0:
        return this.#noise(this.#below(MAX_BYTES));
      case 1:
        return Buffer.from(HTTP1[this.#below(HTTP1.length)] ?? '', 'latin1');
      case 2:
        return Buffer.concat([HTTP2_PREFACE.subarray(0, this.#below(HTTP2_PREFACE.length)), this.#noise(100)]);
      case 3:
        return Buffer.concat([HTTP2_PREFACE, EMPTY_SETTINGS, ...this.#frames()]);
      default:
        return Buffer.concat([HTTP2_PREFACE, EMPTY_SETTINGS, this.#noise(this.#below(MAX_BYTES))]);
    }
  }

  /** For the peer port: noise, half a greeting, a greeting with noise behind it, huge lengths. */
  forPeers(): Uint8Array {
    const length = Buffer.alloc(4);
    switch (this.#below(4)) {
      case 0:
        return this.#noise(this.#below(MAX_BYTES));
      case 1:
        return Buffer.concat([PEER_MAGIC, this.#noise(this.#below(500))]);
      case 2:
        length.writeUInt32LE(this.#next() >>> 0);
        return Buffer.concat([length, PEER_MAGIC, this.#noise(this.#below(MAX_BYTES))]);
      default:
        length.writeUInt32LE(this.#below(2_000));
        return Buffer.concat([length, this.#noise(8), PEER_MAGIC, this.#noise(this.#below(2_000))]);
    }
  }

  /** Up to 200 frames with true lengths, so that the parser goes on from one to the next. */
  #frames(): Buffer[] {
    return Array.from({ length: this.#below(200) }, () => {
      const payload = this.#noise(this.#below(200));
      const header = Buffer.alloc(9);
      header.writeUIntBE(payload.length, 0, 3);
      header[3] = this.#below(12);
      header[4] = this.#below(64);
      header.writeUInt32BE(this.#below(20), 5);
      return Buffer.concat([header, payload]);
    });
  }

  #noise(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at++) bytes[at] = this.#next() & 0xff;
    return bytes;
  }

  #below(limit: number): number {
    return (this.#next() >>> 0) % Math.max(1, limit);
  }

  /** Marsaglia's xorshift, 32 bits. */
  #next(): number {
    let x = this.#state || 0x9e3779b9;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }
}
