/** What the browser's part of the overview says: `islands/live.ts` gets it as JSON in the page, in the page's language. */
export interface LiveScriptWords {
  readonly watching: string;
  readonly notWatching: string;
  readonly reconnecting: string;
  /** An event and why: its places are `{what}` and `{whatOf}`. */
  readonly withReason: string;
  /** What happened, by an event's type. */
  readonly events: Readonly<Record<string, string>>;
  /** Why, by an event's reason. */
  readonly reasons: Readonly<Record<string, string>>;
}
