/** A text that is made to be taken elsewhere: shown whole, and with script copied by a button. */

interface CopiedProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
}

export function Copied({ id, label, value }: CopiedProps) {
  return (
    <div class="field copied">
      <label for={id}>{label}</label>
      <div class="row">
        <input id={id} class="mono" readonly value={value} />
        <button type="button" data-copy={id} hidden>
          Copy
        </button>
      </div>
    </div>
  );
}

/** Several lines. */
export function CopiedText({ id, label, value }: CopiedProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} readonly rows={value.split('\n').length + 2}>
        {value}
      </textarea>
      <button type="button" data-copy={id} hidden>
        Copy
      </button>
    </div>
  );
}
