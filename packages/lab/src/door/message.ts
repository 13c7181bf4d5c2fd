/** The lines that a process and the lab say to each other: Maelstrom's node protocol. */
import { ScenarioFailure } from '../cluster/failure.ts';

export interface DoorBody {
  readonly type: string;
  readonly msg_id?: number;
  readonly in_reply_to?: number;
  readonly [field: string]: unknown;
}

export interface DoorMessage {
  readonly src: string;
  readonly dest: string;
  readonly body: DoorBody;
}

/** What a process did that it must not. `node` names it. */
export class DoorFailure extends ScenarioFailure {
  readonly reason: 'rubbish' | 'died' | 'hangs' | 'misanswers' | 'unavailable';
  readonly node: string | null;

  constructor(reason: DoorFailure['reason'], node: string | null, message: string) {
    super(message);
    this.reason = reason;
    this.node = node;
  }
}

/** Characters of a line that a message shows. */
const SHOWN = 120;

/** What `node` wrote. @throws DoorFailure */
export function parseMessage(node: string, line: string): DoorMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw rubbish(
      node,
      line,
      'is no JSON. Standard output is for messages alone: what you want to read goes to standard error',
    );
  }
  if (!isRecord(value) || typeof value['src'] !== 'string' || typeof value['dest'] !== 'string') {
    throw rubbish(node, line, 'is no message: it needs src, dest and body');
  }
  const { src, dest, body } = value;
  if (!isRecord(body) || typeof body['type'] !== 'string') throw rubbish(node, line, 'has no body with a type');
  for (const field of ['msg_id', 'in_reply_to']) {
    const id = body[field];
    if (id !== undefined && !Number.isSafeInteger(id))
      throw rubbish(node, line, `has a ${field} that is no whole number`);
  }
  if (src !== node) throw rubbish(node, line, `says that it comes from ${src}: src must be the sender's own id`);
  return { src, dest, body: body as DoorBody };
}

function rubbish(node: string, line: string, what: string): DoorFailure {
  const text = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
  return new DoorFailure('rubbish', node, `${node} wrote a line that ${what}: ${text}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
