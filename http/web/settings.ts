/** What the operator decides about the web application. */

export interface WebSettings {
  /** The name it shows, e.g. of the product. */
  readonly name: string;
  /** Shown beside the name; null: a mark of its own. */
  readonly logo: Logo | null;
  /** `#rrggbb`, for buttons, links and the mark. `parts/theme.ts` makes readable shades of it. */
  readonly accent: string;
  /** Accounts that the sign-in page offers, with their passwords: only ever those of the demo. */
  readonly demoAccounts: readonly DemoAccount[];
}

export interface Logo {
  readonly type: string;
  readonly body: Buffer;
}

export interface DemoAccount {
  readonly label: string;
  readonly email: string;
  readonly password: string;
}

export const defaultWebSettings: WebSettings = {
  name: 'claimd',
  logo: null,
  accent: '#0b5fb0',
  demoAccounts: [],
};
