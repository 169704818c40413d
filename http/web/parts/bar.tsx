/** What can be done with a selection, at the foot of its list; there while something is selected (`style.ts`). */

export interface BarAction {
  /** Of the field `do`. */
  readonly value: string;
  readonly label: string;
  readonly danger?: boolean;
}

export function Bar({ legend, actions }: { legend: string; actions: readonly BarAction[] }) {
  return (
    <fieldset class="bar">
      <legend class="sr">{legend}</legend>
      <span class="muted" role="status" data-told></span>
      {actions.map(({ value, label, danger = false }) => (
        <button type="submit" name="do" value={value} class={danger ? 'danger' : ''}>
          {label}
        </button>
      ))}
    </fieldset>
  );
}
