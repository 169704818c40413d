/** `oidc-provider`, a certified implementation by others, with its own pages for login and consent: whoever logs in has that address. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { CLIENT } from './identity-provider.ts';

export interface IndependentProvider {
  readonly issuer: string;
  /** Registers where people are sent back to. @param more of the client */
  begin(redirectUri: string, more?: object): void;
  stop(): Promise<void>;
}

export async function startIndependentProvider(): Promise<IndependentProvider> {
  let handle: RequestListener = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response));
  server.keepAliveTimeout = 0; // or it might close a connection on which something is just being asked
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const begin = (redirectUri: string, more: object = {}) => {
    const { clientId: client_id, clientSecret: client_secret } = CLIENT;
    const provider = new Provider(issuer, {
      clients: [{ client_id, client_secret, redirect_uris: [redirectUri], ...more }],
      features: { backchannelLogout: { enabled: true } },
      // Its own has a filter that keeps it from calling this machine.
      fetch: (url, options) => {
        const { method = 'GET', headers = {}, body = null } = options ?? {};
        return fetch(url, { method, headers, body });
      },
      claims: { openid: ['sub'], email: ['email', 'email_verified'] },
      findAccount: (_context, accountId) => ({
        accountId,
        claims: () => ({ sub: accountId, email: accountId, email_verified: true }),
      }),
    });
    handle = provider.callback();
  };
  begin('http://localhost/nowhere'); // its metadata are asked for before the redirect URI is known
  return {
    issuer,
    begin,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
