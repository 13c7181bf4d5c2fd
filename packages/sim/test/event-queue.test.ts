/** Events come by time, and those of one moment as they were added, whatever was taken out in between. */
import { expect, test } from 'vitest';
import { EventQueue, QueuedEvent } from '../src/index.ts';

class Named extends QueuedEvent {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  override happen(): void {
    // Only its place counts here.
  }
}

function add(queue: EventQueue<Named>, at: number, name: string): Named {
  const event = new Named(name);
  queue.add(at, event);
  return event;
}

function namesOf(queue: EventQueue<Named>): string[] {
  const names: string[] = [];
  for (let event = queue.take(); event !== null; event = queue.take()) names.push(event.name);
  return names;
}

test('what is over is swept out, and all else keeps its place', () => {
  const queue = new EventQueue<Named>();
  for (let at = 20; at > 0; at--) {
    add(queue, at, `first at ${at}`);
    add(queue, at, `second at ${at}`).isOver = at % 3 > 0;
  }
  expect(queue.size).toBe(40);
  expect(queue.sweep()).toBe(14);
  expect(queue.size).toBe(26);
  const expected = Array.from({ length: 20 }, (_, index) => index + 1).flatMap((at) =>
    at % 3 > 0 ? [`first at ${at}`] : [`first at ${at}`, `second at ${at}`],
  );
  expect(namesOf(queue)).toEqual(expected);
});
