import { etcdErrors, type RpcCall, type RpcMethod, StatusCode } from '@quorate/kv';
import { type MethodDescriptor, ProtobufError } from '@quorate/kv/api';

/** A unary method from its description: the handler sees the decoded request and answers through the callback, once. */
export function unary<Request, Response>(
  { path, request, response }: MethodDescriptor<Request, Response>,
  handle: (request: Request, call: RpcCall, reply: (response: Response) => void) => void,
): readonly [string, RpcMethod] {
  return [
    path,
    {
      clientStreaming: false,
      serverStreaming: false,
      handle: (call) => {
        const decoded = decode(request, call);
        if (decoded !== null) handle(decoded, call, (answer) => call.reply(response.encode(answer)));
      },
    },
  ];
}

function decode<Request>(type: { decode(bytes: Uint8Array): Request }, call: RpcCall): Request | null {
  try {
    return type.decode(call.request);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    call.end({ code: StatusCode.internal, message: `grpc: error unmarshalling request: ${error.message}` });
    return null;
  }
}

/** How etcd says that there is no leader among a status's errors. */
export const noLeaderText: string = etcdErrors.noLeader.message;
