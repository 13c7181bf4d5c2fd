/** A dialog: the browser's own, which keeps the focus inside and closes by Esc. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { dialog } from '../shell/dialogs.ts';

export function Dialog(props: {
  readonly title: string;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { title, isWide = false, children } = props;
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog
      ref={element}
      class={isWide ? 'wide' : ''}
      aria-label={title}
      onClose={() => (dialog.value = null)}
      onClick={(event) => {
        if (event.target === element.current) element.current?.close();
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" class="close" aria-label="Close" onClick={() => element.current?.close()}>
          ×
        </button>
      </header>
      <div class="body">{children}</div>
    </dialog>
  );
}
