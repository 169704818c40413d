/**
 * The description of the API as a page for people: made on the server, without scripts, and without anything from
 * elsewhere, so that its content security policy can forbid all of that.
 */
import { createHash } from 'node:crypto';
import type { Description, Operation, Parameter, Schema } from './openapi.ts';

export interface Page {
  readonly html: string;
  /** Value of the header Content-Security-Policy. */
  readonly policy: string;
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff; }
h2 { margin: 2rem 0 .5rem; border-bottom: 1px solid #d0d7de; }
details { margin: .25rem 0; border: 1px solid #d0d7de; border-radius: 6px; padding: .25rem .75rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
code, pre { font: 13px/1.4 ui-monospace, monospace; }
pre { background: #f6f8fa; padding: .5rem; overflow-x: auto; }
b.method { display: inline-block; min-width: 4.5em; }
td, th { text-align: left; vertical-align: top; padding: .1rem .75rem .1rem 0; }
small { color: #57606a; }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117; }
  details, h2 { border-color: #30363d; }
  pre { background: #161b22; }
  small { color: #8b949e; }
}`;

export function renderPage(description: Description): Page {
  const styleDigest = createHash('sha256').update(STYLE).digest('base64');
  const groups = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0] ?? '';
      const group = groups.get(tag) ?? [];
      groups.set(tag, [...group, renderOperation(method, path, operation)]);
    }
  }
  const sections = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  const { title, version, description: about } = description.info;
  return {
    policy: `default-src 'none'; style-src 'sha256-${styleDigest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(title)} API</title><style>${STYLE}</style></head><body>
<h1>${text(title)} API <small>${text(version)}</small></h1>
<p>${text(about)} For machines: <a href="/v3/api-docs">OpenAPI 3.1</a>.</p>
${sections.map(([tag, all]) => `<h2>${text(tag)}</h2>\n${all.join('\n')}`).join('\n')}
</body></html>
`,
  };
}

function renderOperation(method: string, path: string, operation: Operation): string {
  const { summary, description, parameters, requestBody, responses } = operation;
  const body =
    requestBody === undefined
      ? ''
      : `<p>Body${requestBody.required ? '' : ' (optional)'}</p>${media(requestBody)}`;
  const answers = Object.entries(responses).map(
    ([status, response]) =>
      `<tr><th>${text(status)}</th><td>${text(response.description)}${status < '300' ? media(response) : ''}</td></tr>`,
  );
  return `<details><summary><b class="method">${text(method.toUpperCase())}</b> <code>${text(path)}</code>
<small>${text(summary)}</small></summary>
<p>${text(description)}</p>${renderParameters(parameters)}${body}
<table>${answers.join('')}</table></details>`;
}

function renderParameters(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(({ name, in: where, required, schema }) => {
    const need = required ? '' : ', optional';
    return `<tr><td><code>${text(name)}</code></td><td>${where}${need}</td><td><code>${text(inBrief(schema))}</code></td></tr>`;
  });
  return `<table>${rows.join('')}</table>`;
}

function inBrief(schema: Schema): string {
  const values = schema.enum;
  if (Array.isArray(values)) return values.join(' | ');
  return typeof schema.type === 'string' ? schema.type : 'any';
}

function media({ content = {} }: { readonly content?: Operation['responses'][string]['content'] }): string {
  const [first] = Object.values(content);
  return first === undefined ? '' : `<pre>${text(JSON.stringify(first.schema, null, 2))}</pre>`;
}

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function text(plain: string): string {
  return plain.replace(/[&<>"']/g, (character) => ESCAPED[character] ?? '');
}
