/** The bytes are not a protobuf message. Nothing was decoded; the sender has to be mended. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
  readonly code = 'MalformedMessage';
  /** Where in the decoded bytes the fault was noticed. */
  readonly offset: number;

  constructor(what: string, offset: number, options?: { cause?: unknown }) {
    super(`Malformed protobuf message: ${what} at byte ${offset}.`, options);
    this.offset = offset;
  }
}
