import type { RpcMethod, RpcService } from '@quorate/kv';

/** Several services as one, for the carrier. */
export function joinServices(services: readonly RpcService[]): RpcService {
  const methods = new Map<string, RpcMethod>();
  for (const service of services) for (const [path, method] of service.methods) methods.set(path, method);
  return { methods };
}
