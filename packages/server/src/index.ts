export * from './rpc/engine.ts';
export { createHttp2Engine } from './rpc/http2-engine.ts';
export * from './client-port.ts';
