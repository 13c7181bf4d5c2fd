/** A guided tour: stops on the live engine. At each there is something to read, and mostly something to do. */
import { signal } from '@preact/signals';
import type { Frame } from '../../engine/protocol.ts';
import type { RunSetup } from '../../engine/setup.ts';
import type { Tab } from '../store.ts';

export interface Tour {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly minutes: number;
  readonly run: RunSetup;
  readonly stops: readonly Stop[];
}

export interface Stop {
  /** What there is to see, a paragraph each. */
  readonly says: readonly string[];
  readonly tab?: Tab;
  /** What one is asked to do, and how to tell that it is done. */
  readonly task?: Task;
}

export interface Task {
  readonly asks: string;
  isDone(moment: Frame): boolean;
  /** Does it, for those who would rather watch. */
  show(): Promise<void>;
}

export interface Underway {
  readonly tour: Tour;
  readonly stop: number;
}

/** The tour that is under way; null for none. */
export const underway = signal<Underway | null>(null);
