/**
 * What to open: `#d=…` holds a run's decisions; `#trace` asks the server that serves the page for the trace that it was started with;
 * `#flight` the running server that serves it for its flight recording; nothing begins a fresh cluster.
 */
import { frame } from './store.ts';
import { fetchFlights } from './live/flight.ts';
import { open, openFlights, openLink, openTrace, report } from './session.ts';

export async function openFromAddress(): Promise<void> {
  const { hash } = location;
  if (hash.startsWith('#d=')) await openLink(hash.slice('#d='.length));
  else if (hash === '#trace') await openServed();
  else if (hash === '#flight') await openOwnFlight();
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

async function openOwnFlight(): Promise<void> {
  try {
    await openFlights('the recording of this server', await fetchFlights());
  } catch (error) {
    report(error);
    if (frame.value === null) await open({ kind: 'fresh', servers: 3, seed: 1 });
  }
}

export async function openFile(file: File): Promise<boolean> {
  return openTrace(file.name, await file.text());
}
