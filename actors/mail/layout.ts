/** How a mail looks, as plain text and as HTML: the same words in both. Nothing is loaded from anywhere, so nobody is watched. */
import { hiddenIn } from '../base/text.ts';
import { directionOf, type Language } from '../texts/languages.ts';

/** What the operator decides about it. */
export interface MailLook {
  /** The name of the product. */
  readonly product: string;
  /** `#rrggbb`, of the button, readable on white; and of the words on it. */
  readonly accent: string;
  readonly onAccent: string;
}

export interface Content {
  readonly subject: string;
  readonly before: readonly string[];
  /** A link of ours. */
  readonly action: { readonly label: string; readonly url: string } | undefined;
  readonly after: readonly string[];
  /** Why somebody gets it. */
  readonly why: string;
}

const NAME_MAX = 80;
/** What mail programs make a link of by themselves. */
const LINKS = /(:\/\/|www\.|@|\.\p{L})/giu;

/**
 * A name that somebody gave, as it stands in a mail: one line of what can be seen, and no link, which whoever gives names to
 * devices could lead people away with.
 */
export function nameInMail(name: string): string {
  const seen = [...name].map((one) => (hiddenIn(one) === undefined ? one : ' ')).slice(0, NAME_MAX);
  return seen
    .join('')
    .replaceAll(/\s+/gu, ' ')
    .trim()
    .replaceAll(LINKS, (match) => [...match].join('\u2060'));
}

export function textOf({ before, action, after, why }: Content): string {
  const parts = [...before, ...(action === undefined ? [] : [action.url]), ...after, '-- ', why];
  return `${parts.join('\n\n').replace('-- \n\n', '-- \n')}\n`;
}

export function htmlOf(content: Content, look: MailLook, language: Language): string {
  const { subject, before, action, after, why } = content;
  const paragraph = (text: string) => `<p style="margin:0 0 16px">${escaped(text)}</p>`;
  const button =
    action === undefined
      ? ''
      : `<p style="margin:0 0 8px"><a href="${escaped(action.url)}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:${look.accent};color:${look.onAccent};text-decoration:none;font-weight:600">${escaped(action.label)}</a></p><p style="margin:0 0 16px;font-size:13px;color:#57606a;word-break:break-all">${escaped(action.url)}</p>`;
  return `<!doctype html>
<html lang="${language}" dir="${directionOf(language)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(subject)}</title></head>
<body style="margin:0;padding:24px;background:#ffffff;color:#1f2328;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:560px;margin:0 auto">
<p style="margin:0 0 24px;font-weight:700;color:${look.accent}">${escaped(look.product)}</p>
<h1 style="margin:0 0 16px;font-size:20px">${escaped(subject)}</h1>
${before.map(paragraph).join('\n')}
${button}
${after.map(paragraph).join('\n')}
<p style="margin:24px 0 0;padding-top:16px;border-top:1px solid #d0d7de;font-size:13px;color:#57606a">${escaped(why)}</p>
</div>
</body>
</html>
`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (one) => ESCAPES[one] ?? one);
