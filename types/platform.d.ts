// The platform globals that the pure rooms may use. Everything here exists in Node.js, in browsers and in
// workers alike; anything else (clocks, timers, randomness, sockets, files) reaches them through the environment seam.

declare class TextEncoder {
  encode(input?: string): Uint8Array;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array): string;
}
