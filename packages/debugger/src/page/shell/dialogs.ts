/** Which of the page's dialogs is open. */
import { signal } from '@preact/signals';

export type DialogName = 'help' | 'open' | 'share' | 'run' | 'tours' | 'compare' | 'go';
export const dialog = signal<DialogName | null>(null);
