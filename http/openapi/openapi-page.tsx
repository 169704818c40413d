/**
 * The API's description as a page for people: rendered on the server, without scripts and without anything from
 * elsewhere, so its content security policy forbids both.
 */
import { createHash } from 'node:crypto';
import { raw } from 'hono/html';
import type { Description, Operation, Parameter } from './openapi.ts';
import type { Schema } from './schemas.ts';

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
  const { title, version, description: about } = description.info;
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>{`${title} API`}</title>
        <style>{raw(STYLE)}</style>
      </head>
      <body>
        <h1>
          {title} API <small>{version}</small>
        </h1>
        <p>
          {about} For machines: <a href="v3/api-docs">OpenAPI 3.1</a>.
        </p>
        {operationsByTag(description).map(([tag, operations]) => (
          <>
            <h2>{tag}</h2>
            {operations.map(([method, path, operation]) => (
              <Details method={method} path={path} operation={operation} />
            ))}
          </>
        ))}
      </body>
    </html>
  );
  return {
    policy: `default-src 'none'; style-src 'sha256-${styleDigest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    html: `<!doctype html>${html}`,
  };
}

type Located = readonly [method: string, path: string, operation: Operation];

/** Sorted by tag; within a tag as described. */
function operationsByTag({ paths }: Description): (readonly [tag: string, operations: readonly Located[]])[] {
  const groups = new Map<string, Located[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0] ?? '';
      const group = groups.get(tag) ?? [];
      groups.set(tag, group);
      group.push([method, path, operation]);
    }
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function Details({ method, path, operation }: { method: string; path: string; operation: Operation }) {
  const { summary, description, parameters, requestBody, responses } = operation;
  return (
    <details>
      <summary>
        <b class="method">{method.toUpperCase()}</b> <code>{path}</code> <small>{summary}</small>
      </summary>
      <p>{description}</p>
      <Parameters parameters={parameters} />
      {requestBody === undefined ? null : (
        <>
          <p>Body{requestBody.required ? '' : ' (optional)'}</p>
          <Content content={requestBody.content} />
        </>
      )}
      <table>
        {Object.entries(responses).map(([status, response]) => (
          <tr>
            <th>{status}</th>
            <td>
              {response.description}
              {status < '300' ? <Content content={response.content} /> : null}
            </td>
          </tr>
        ))}
      </table>
    </details>
  );
}

function Parameters({ parameters }: { parameters: readonly Parameter[] }) {
  if (parameters.length === 0) return null;
  return (
    <table>
      {parameters.map(({ name, in: where, required, schema }) => (
        <tr>
          <td>
            <code>{name}</code>
          </td>
          <td>
            {where}
            {required ? '' : ', optional'}
          </td>
          <td>
            <code>{inBrief(schema)}</code>
          </td>
        </tr>
      ))}
    </table>
  );
}

function inBrief(schema: Schema): string {
  const values = schema.enum;
  if (Array.isArray(values)) return values.join(' | ');
  return typeof schema.type === 'string' ? schema.type : 'any';
}

/** The schema of a body, of its first media type. */
function Content({ content = {} }: { content: Operation['responses'][string]['content'] }) {
  const [first] = Object.values(content);
  return first === undefined ? null : <pre>{JSON.stringify(first.schema, null, 2)}</pre>;
}
