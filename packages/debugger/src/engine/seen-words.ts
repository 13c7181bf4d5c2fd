/** What was seen from outside, in sentences. */
import type { SeenEvent } from '@quorate/sim';
import type { SeenStep } from './seen-steps.ts';
import type { SeenMessage } from './step-record.ts';

type Messages = ReadonlyMap<number, SeenMessage>;

export class SeenWords {
  /** By the number of the call, as far as the run has come. */
  readonly #calls: Messages;
  readonly #answers: Messages;

  constructor(calls: Messages, answers: Messages) {
    this.#calls = calls;
    this.#answers = answers;
  }

  titleOf({ server, events }: SeenStep): string {
    const [main] = events;
    if (main === undefined) return '';
    const calls = events.flatMap(({ event }) => (event.kind === 'call' ? [event] : []));
    const [first] = calls;
    if (main.event.kind === 'call' && first !== undefined) {
      return `${server ?? ''} calls ${first.method} of ${calls.map(({ to }) => to).join(', ')}`;
    }
    return this.of(server ?? '', main.event);
  }

  /** In a sentence without its end. */
  of(server: string, event: SeenEvent): string {
    switch (event.kind) {
      case 'start':
        return `${server} starts`;
      case 'crash':
        return `${server} crashes`;
      case 'links':
      case 'lost':
        return event.text;
      case 'call':
        return `${server} calls ${event.method} of ${event.to}: ${event.text}`;
      case 'answer':
        return `${server} answers: ${event.text}`;
      case 'called':
        return `${messageWords(this.#calls.get(event.call))} arrives`;
      case 'answered':
        return `${messageWords(this.#answers.get(event.call))} arrives`;
      case 'unanswered': {
        const asked = this.#calls.get(event.call);
        return `${server} has no answer to ${asked?.kind ?? 'a call'} from ${asked?.to ?? 'somebody'}`;
      }
      case 'timer':
        return event.name === 'its' ? `${server}: a timer runs out` : `${server}: its ${event.name} timer runs out`;
      case 'state':
        return `${server} is in term ${event.term}${event.isLeader ? ', and leads' : ''}`;
      case 'propose':
        return event.isLeader
          ? `${server} is handed ${event.text}: index ${event.index} of term ${event.term}`
          : `${server} is handed ${event.text}, and does not lead`;
      case 'apply':
        return `${server} applies ${event.index}: ${event.text}`;
      case 'restore':
        return `${server} takes over a snapshot up to ${event.index}`;
      case 'save':
        return `${server} saves ${event.bytes} bytes${event.snapshotBytes > 0 ? `, and a snapshot of ${event.snapshotBytes}` : ''}`;
      case 'ask':
        return `client ${event.client} asks: ${event.text}`;
      case 'told':
        return `a client is told: ${event.text}`;
      case 'step':
        return event.text;
    }
  }
}

function messageWords(message: SeenMessage | undefined): string {
  return message === undefined ? 'a message of before' : `${message.kind} ${message.from}→${message.to}`;
}
