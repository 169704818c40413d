/** The small elements that pages are made of: headings, notes, form fields, times. */
import type { Child } from 'hono/jsx';
import { dateOf } from '../../../actors/base/clock.ts';
import type { Locale } from '../locale.ts';

/** The top of a page: its heading, a lead under it, and at the side what can be done. */
export function Head({ title, lead, children }: { title: string; lead?: Child; children?: Child }) {
  return (
    <div class="head">
      <div>
        <h1>
          <bdi>{title}</bdi>
        </h1>
        {lead === undefined ? null : <p class="lead">{lead}</p>}
      </div>
      {children}
    </div>
  );
}

/** A link to the page that this one is a part of. */
export function Back({ to, label }: { to: string; label: string }) {
  return (
    <p>
      <a href={to}>
        <bdi>{label}</bdi>
      </a>
    </p>
  );
}

export function Note({ kind, children }: { kind: 'good' | 'bad' | 'warn' | 'plain'; children?: Child }) {
  return (
    <div class={`note ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      <p>{children}</p>
    </div>
  );
}

/** Why a form was not taken; nothing when it was not sent yet. */
export function Refusal({ text }: { text: string | undefined }) {
  return text === undefined ? null : <Note kind="bad">{text}</Note>;
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly type?: string;
  readonly value?: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly autocomplete?: string;
  readonly maxlength?: number;
  readonly inputmode?: 'decimal';
  /** The id of a `datalist` of suggestions. */
  readonly list?: string;
  readonly invalid?: boolean;
  /** For names and keys: phones should neither capitalise nor correct them. */
  readonly verbatim?: boolean;
  /** Shown as it is typed, in letters that can be told apart; no browser keeps it. */
  readonly secret?: boolean;
}

export function Field({ name, label, hint, type = 'text', invalid, verbatim, secret, ...rest }: FieldProps) {
  const id = `f-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type={type}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        {...(invalid ? { 'aria-invalid': 'true' as const } : {})}
        {...(secret ? { class: 'mono' } : {})}
        {...(verbatim ? { autocapitalize: 'none', autocorrect: 'off', spellcheck: false } : {})}
        {...directionOf(type, verbatim)}
        {...rest}
      />
      {hint === undefined ? null : <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

interface LinesProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly rows: number;
  readonly hint: Child;
  readonly required?: boolean;
  /** For what begins at the left in each language. */
  readonly dir?: 'ltr';
}

/** A field for a list, with one entry on each line (`linesOf` reads it). */
export function Lines({ name, label, value, hint, ...rest }: LinesProps) {
  const id = `f-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} name={name} spellcheck={false} aria-describedby={`${id}-hint`} {...rest}>
        {value}
      </textarea>
      <small id={`${id}-hint`}>{hint}</small>
    </div>
  );
}

/** Addresses begin at the left in each language, and names where their own letters do: a dot or a sign stays at its end. */
function directionOf(type: string, verbatim: boolean | undefined): { dir?: 'ltr' | 'auto' } {
  if (type === 'url' || type === 'email') return { dir: 'ltr' };
  return verbatim ? { dir: 'auto' } : {};
}

interface TimeProps {
  readonly at: number;
  readonly locale: Locale;
  /** Makes it short: without the date when it is today. */
  readonly now?: number;
  /** With seconds. */
  readonly exact?: boolean;
}

/** A time in the reader's own way. In UTC it is marked, and an island rewrites it in the browser's time zone. */
export function Time({ at, locale, now, exact = false }: TimeProps) {
  const text = exact ? locale.exact(at) : now === undefined ? locale.instant(at) : locale.short(at, now);
  return (
    <time
      datetime={dateOf(at).toISOString()}
      {...(locale.timeZone === undefined ? { 'data-local': exact ? 'exact' : '' } : {})}
    >
      {text}
    </time>
  );
}
