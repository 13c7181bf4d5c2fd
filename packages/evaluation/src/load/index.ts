/** What a load generator needs, and no more: neither plots nor experiments are loaded with it. */
export { type Histogram, newHistogram, quantile, record } from '../data/histogram.ts';
export { decodeHuffman } from './raw/huffman.ts';
export { keyOf, type MessageTemplate, putTemplate, rangeTemplate } from './raw/messages.ts';
export { RawGrpcConnection } from './raw/raw-grpc.ts';
