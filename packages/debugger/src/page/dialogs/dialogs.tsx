/** The dialog that is open. */
import type { ComponentType, JSX } from 'preact';
import { dialog, type DialogName } from '../shell/dialogs.ts';
import { Compare } from './compare.tsx';
import { GoTo } from './go-to.tsx';
import { Help } from './help.tsx';
import { Open } from './open.tsx';
import { RunUntil } from './run-until.tsx';
import { Share } from './share.tsx';
import { Tours } from './tours.tsx';

const all: Readonly<Record<DialogName, ComponentType>> = {
  help: Help,
  open: Open,
  share: Share,
  run: RunUntil,
  tours: Tours,
  compare: Compare,
  go: GoTo,
};

export function Dialogs(): JSX.Element | null {
  const name = dialog.value;
  if (name === null) return null;
  const Shown = all[name];
  return <Shown key={name} />;
}
