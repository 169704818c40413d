/** A text that is made to be taken elsewhere: shown whole, and with script copied by a button. */

import type { Say } from '../texts/say.ts';

interface CopiedProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly say: Say;
}

function CopyButton({ id, say }: Pick<CopiedProps, 'id' | 'say'>) {
  return (
    <button
      type="button"
      data-copy={id}
      data-copied={say('part.copied')}
      data-selected={say('part.selected')}
      hidden
    >
      {say('part.copy')}
    </button>
  );
}

export function Copied({ id, label, value, say }: CopiedProps) {
  return (
    <div class="field copied">
      <label for={id}>{label}</label>
      <div class="row">
        <input id={id} class="mono" readonly value={value} />
        <CopyButton id={id} say={say} />
      </div>
    </div>
  );
}

/** Several lines. */
export function CopiedText({ id, label, value, say }: CopiedProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} readonly rows={value.split('\n').length + 2}>
        {value}
      </textarea>
      <CopyButton id={id} say={say} />
    </div>
  );
}
