/** How the bench is called, and what it can do there. */
export interface Program {
  /** For people: `claimbench`. */
  readonly name: string;
  /** Measures single parts of claimd; undefined: there is none beside it. */
  readonly micro?: (args: readonly string[], say: (text: string) => void) => Promise<number>;
}
