/**
 * What to open: `#d=…` holds a run's decisions; `#trace` asks the server that serves the page for the trace that it was started with;
 * nothing begins a fresh cluster.
 */
import { frame } from './store.ts';
import { open, openLink, openTrace, report } from './session.ts';

export async function openFromAddress(): Promise<void> {
  const { hash } = location;
  if (hash.startsWith('#d=')) await openLink(hash.slice('#d='.length));
  else if (hash === '#trace') await openServed();
  else if (frame.value === null) await open({ kind: 'fresh', servers: 5, seed: 1 });
}

async function openServed(): Promise<void> {
  try {
    const answer = await fetch('./trace.json');
    if (!answer.ok) throw new Error(`The trace cannot be had: the server says ${answer.status}.`);
    await openTrace(decodeURIComponent(answer.headers.get('x-trace-name') ?? 'trace'), await answer.text());
  } catch (error) {
    report(error);
  }
}

export async function openFile(file: File): Promise<boolean> {
  return openTrace(file.name, await file.text());
}
