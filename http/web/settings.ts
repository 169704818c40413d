/** What the operator decides about the web application. */

export interface WebSettings {
  /** What it calls itself, e.g. the name of the product. */
  readonly name: string;
  /** Shown beside the name; null: the name alone, with a mark of ours. */
  readonly logo: Logo | null;
  /** `#rrggbb`: buttons, links, the mark. Shades that can be read on light and on dark are made from it. */
  readonly accent: string;
  /** Accounts offered on the sign-in page, with their passwords: of the demo, and of nothing else. */
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
