/** What the operator decides about the web application. */
import type { Language } from '../../actors/texts/languages.ts';
import { NO_OVERLAYS, type Overlays } from './texts/overlay.ts';

export interface WebSettings {
  /** The name it shows, e.g. of the product. */
  readonly name: string;
  /** Shown beside the name; null: a mark of its own. */
  readonly logo: Logo | null;
  /** `#rrggbb`, for buttons, links and the mark. `parts/theme.ts` makes readable shades of it. */
  readonly accent: string;
  /** Where customers get help, and what is said about their data: `https:`, `mailto:` or `tel:`. Null: not shown. */
  readonly support: string | null;
  readonly privacy: string | null;
  /** Which button of the device opens its claim window, in the operator's words; null: in general ones. */
  readonly buttonHint: string | null;
  /** What comes after a claim: a sentence, and a link. Null: nothing of the operator's. */
  readonly afterClaim: { readonly text: string; readonly link: string | null } | null;
  /** Whether the server sends mails: else an administrator does what they would. */
  readonly mails: boolean;
  /** Whether who has no account makes one by a mail. */
  readonly signUp: boolean;
  /** For whom nothing says which language they read. */
  readonly language: Language;
  /** The operator's own words for what the pages say. */
  readonly texts: Overlays;
  /** Whether there is the made-up language of tests, as `?lang=en-XA`. */
  readonly pseudo: boolean;
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
  support: null,
  privacy: null,
  buttonHint: null,
  afterClaim: null,
  mails: false,
  signUp: false,
  language: 'en',
  texts: NO_OVERLAYS,
  pseudo: false,
  demoAccounts: [],
};
