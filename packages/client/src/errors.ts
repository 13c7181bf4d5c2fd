import { StatusCode } from '@quorate/kv/api';

/**
 * Why a call failed. `OutcomeUnknown` alone leaves open whether a write took effect; with every other code it did not and
 * never will.
 */
export type ClientErrorCode =
  /** The write may or may not have taken effect, or may yet. Read before writing again; it is never repeated for you. */
  | 'OutcomeUnknown'
  /** No server could do it before the deadline; nothing was done. `cause` has the last refusal. */
  | 'Unavailable'
  /** No answer before the deadline. */
  | 'DeadlineExceeded'
  /** The caller's AbortSignal fired before anything was done; `cause` has its reason. */
  | 'Aborted'
  /** The client has been closed. */
  | 'Closed'
  /** More calls at once than `maxCalls`. */
  | 'TooManyCalls'
  /** The answer is larger than `maxResponseBytes`. */
  | 'ResponseTooLarge'
  /** The answer is not what the API says. */
  | 'MalformedResponse'
  /** An argument makes no sense, found here or by the server. */
  | 'InvalidArgument'
  // What else a server may say, by the names of gRPC's status codes.
  | 'Cancelled'
  | 'Unknown'
  | 'NotFound'
  | 'AlreadyExists'
  | 'PermissionDenied'
  | 'ResourceExhausted'
  | 'FailedPrecondition'
  | 'OutOfRange'
  | 'Unimplemented'
  | 'Internal'
  | 'DataLoss'
  | 'Unauthenticated';

export interface ClientErrorDetails {
  readonly cause?: unknown;
  readonly endpoint?: string | undefined;
  readonly status?: StatusCode | undefined;
  readonly details?: string | undefined;
}

/** Every failure of a call. `code` is stable; the message is for people. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /** The server that the last attempt went to, when one was reached for. */
  readonly endpoint: string | undefined;
  /** The gRPC status that the server answered with, when it did. */
  readonly status: StatusCode | undefined;
  /** The server's own words, when it had any: for an etcd error, etcd's text. */
  readonly details: string | undefined;

  constructor(code: ClientErrorCode, message: string, { cause, endpoint, status, details }: ClientErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.endpoint = endpoint;
    this.status = status;
    this.details = details;
  }
}

const CODES: Readonly<Record<StatusCode, ClientErrorCode>> = {
  [StatusCode.ok]: 'Internal',
  [StatusCode.cancelled]: 'Cancelled',
  [StatusCode.unknown]: 'Unknown',
  [StatusCode.invalidArgument]: 'InvalidArgument',
  [StatusCode.deadlineExceeded]: 'DeadlineExceeded',
  [StatusCode.notFound]: 'NotFound',
  [StatusCode.alreadyExists]: 'AlreadyExists',
  [StatusCode.permissionDenied]: 'PermissionDenied',
  [StatusCode.resourceExhausted]: 'ResourceExhausted',
  [StatusCode.failedPrecondition]: 'FailedPrecondition',
  [StatusCode.aborted]: 'Unavailable',
  [StatusCode.outOfRange]: 'OutOfRange',
  [StatusCode.unimplemented]: 'Unimplemented',
  [StatusCode.internal]: 'Internal',
  [StatusCode.unavailable]: 'Unavailable',
  [StatusCode.dataLoss]: 'DataLoss',
  [StatusCode.unauthenticated]: 'Unauthenticated',
};

export function codeOfStatus(status: StatusCode): ClientErrorCode {
  return CODES[status];
}

export function invalid(message: string): ClientError {
  return new ClientError('InvalidArgument', message);
}

/** Inside the client only: a response that decodes and makes no sense. */
export class MalformedResponse extends Error {}
