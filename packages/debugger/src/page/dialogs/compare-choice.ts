/** The branch that is laid beside the one that is looked at. */
import { signal } from '@preact/signals';

export const compared = signal<number | null>(null);
