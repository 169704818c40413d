/** The API's description: for machines as OpenAPI 3.1 and 3.0, for people as a page. */
import { z } from 'zod';
import { describe } from '../openapi/openapi.ts';
import { asOpenApi30 } from '../openapi/openapi-3-0.ts';
import { renderPage } from '../openapi/openapi-page.tsx';
import { defineRoute, type Route } from '../route.ts';
import { prefixOf } from '../wire/links.ts';
import { type TextReply, text } from '../wire/reply.ts';
import { API_VERSION } from './system.ts';

/** @param described all other routes; those of this file are added */
export function docRoutes(described: readonly Route[]): Route[] {
  // Made once, on the first request: anybody may ask for them, as often as they like.
  const made = once(() => {
    const description = describe([...described, ...routes], API_VERSION);
    return {
      newer: JSON.stringify(description),
      older: JSON.stringify(asOpenApi30(description)),
      page: renderPage(description),
    };
  });

  const routes: Route[] = [
    defineRoute({
      method: 'GET',
      path: '/v3/api-docs',
      summary: 'This description, as OpenAPI 3.1',
      roles: ['PUBLIC'],
      responses: { 200: { description: 'The description', schema: z.looseObject({ openapi: z.string() }) } },
      handle: ({ linkBase }) => servedBelow(linkBase(), made().newer),
    }),
    defineRoute({
      method: 'GET',
      path: '/v3/api-docs/3.0',
      summary: 'This description, as OpenAPI 3.0, for generators of clients that need it',
      roles: ['PUBLIC'],
      responses: { 200: { description: 'The description', schema: z.looseObject({ openapi: z.string() }) } },
      handle: ({ linkBase }) => servedBelow(linkBase(), made().older),
    }),
    defineRoute({
      method: 'GET',
      path: '/swagger-ui',
      summary: 'This description, as a page for people',
      roles: ['PUBLIC'],
      responses: { 200: { description: 'HTML' } },
      handle: () => ({ type: 'html', body: made().page.html, policy: made().page.policy }),
    }),
  ];
  return routes;
}

/** With the path prefix, where a proxy has one; else paths begin at the root, which need not be said. */
function servedBelow(base: string, description: string): TextReply {
  const prefix = prefixOf(base);
  const servers = `,"servers":${JSON.stringify([{ url: prefix }])}}`;
  const body = prefix === '' ? description : description.slice(0, -1) + servers;
  return { ...text(body), headers: { 'Content-Type': 'application/json' } };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
