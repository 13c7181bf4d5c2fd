import { createInterface } from 'node:readline';
import { parseComparison, parseOperation } from './txn-syntax.ts';

interface Paragraph {
  readonly title: string;
  /** Throws when the line makes no sense. */
  readonly check: (line: string) => unknown;
}

const PARAGRAPHS: readonly Paragraph[] = [
  { title: 'compares:', check: parseComparison },
  { title: 'success requests (get, put, del):', check: parseOperation },
  { title: 'failure requests (get, put, del):', check: parseOperation },
];

/** Asks for the three paragraphs in turn, each ended by an empty line. A line that makes no sense is refused at once. */
export async function readTxnInteractively(): Promise<string> {
  const input = createInterface({ input: process.stdin });
  const lines: string[] = [];
  let paragraph = 0;
  try {
    ask(paragraph);
    for await (const line of input) {
      const text = line.trim();
      if (text !== '') PARAGRAPHS[paragraph]?.check(text);
      lines.push(text);
      if (text !== '') continue;
      paragraph++;
      if (paragraph === PARAGRAPHS.length) break;
      ask(paragraph);
    }
  } finally {
    input.close();
  }
  return lines.join('\n');
}

function ask(paragraph: number): void {
  process.stderr.write(`${PARAGRAPHS[paragraph]?.title ?? ''}\n`);
}
