/** An identity provider for tests: it does what OpenID Connect asks for, and lies where it is told to. */
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface Lies {
  /** In place of what the id_token would say; null leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `none`: without signature. `HS256`: signed with the public key as a secret. `stranger`: by another key of the same id. */
  readonly signed?: 'none' | 'HS256' | 'secret' | 'stranger';
  /** What the authorization answer says of its issuer. */
  readonly answeredIss?: string;
}

export interface IdentityProvider {
  readonly issuer: string;
  /** How often each path was asked. */
  readonly asked: ReadonlyMap<string, number>;
  /** Somebody signs in at the provider: from where the browser was sent to where it is sent back. */
  approve(authorizationUrl: string, person: Readonly<Record<string, unknown>>, lies?: Lies): string;
  /** An access token for the API, as RFC 9068 has it, unless it lies. @param at seconds since 1970 */
  accessToken(at: number, lies?: Lies & { readonly typ?: string; readonly kid?: string }): Promise<string>;
  /** A logout token for the client, as Back-Channel Logout 1.0 has it, unless it lies. @param at seconds since 1970 */
  logoutToken(at: number, lies?: Lies & { readonly typ?: string }): Promise<string>;
  /** From now on another key signs. */
  rotate(): Promise<void>;
  /** From now on these paths are answered so. */
  disturb(path: string, answer: ((response: ServerResponse) => void) | undefined): void;
  stop(): Promise<void>;
}

/** The audience of access tokens. */
export const API = 'https://claimd.test/api';

export const CLIENT = { clientId: 'claimd', clientSecret: 'a secret of the client' };

interface Grant {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: Lies['signed'];
}

/** Making one takes a quarter of a second of work, so that a file makes so many, and its providers get them in turn. */
const PAIRS = 6;
const pairs: Promise<GenerateKeyPairResult>[] = [];
let given = 0;

function nextPair(): Promise<GenerateKeyPairResult> {
  const at = given++ % PAIRS;
  const pair = pairs[at] ?? generateKeyPair('RS256', { extractable: true });
  pairs[at] = pair;
  return pair;
}

/** Under an id of its own, and another one than the last few. */
async function newKey() {
  const { privateKey, publicKey } = await nextPair();
  const kid = randomUUID();
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' };
  return { privateKey, jwk, kid, pem: await exportSPKI(publicKey) };
}

const unsigned = (header: object, claims: object) =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

/** @param port 0: any */
export async function startIdentityProvider(more: object = {}): Promise<IdentityProvider> {
  let key = await newKey();
  const stranger = await newKey();
  const grants = new Map<string, Grant>();
  const asked = new Map<string, number>();
  const disturbed = new Map<string, (response: ServerResponse) => void>();
  let issuer = '';

  async function sign(claims: Grant['claims'], how: Lies['signed'], more: object = {}): Promise<string> {
    const header = { alg: 'RS256', kid: key.kid, ...more };
    switch (how) {
      case 'none':
        return `${unsigned({ ...header, alg: 'none' }, claims)}.`;
      case 'HS256':
      case 'secret': {
        const text = unsigned({ ...header, alg: 'HS256' }, claims);
        const secret = how === 'secret' ? CLIENT.clientSecret : key.pem;
        return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
      }
      case 'stranger':
        return new SignJWT({ ...claims }).setProtectedHeader(header).sign(stranger.privateKey);
      case undefined:
        return new SignJWT({ ...claims }).setProtectedHeader(header).sign(key.privateKey);
    }
  }

  async function token(body: URLSearchParams): Promise<[number, object]> {
    const code = body.get('code') ?? '';
    const grant = grants.get(code);
    grants.delete(code); // good once
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    if (grant?.challenge !== challenge || grant.redirectUri !== body.get('redirect_uri'))
      return [400, { error: 'invalid_grant' }];
    const id_token = await sign(grant.claims, grant.signed);
    return [200, { access_token: randomUUID(), token_type: 'Bearer', expires_in: 60, id_token }];
  }

  async function answer(path: string, body: URLSearchParams): Promise<[number, object]> {
    switch (path) {
      case '/.well-known/openid-configuration':
        return [
          200,
          {
            issuer,
            authorization_endpoint: `${issuer}/authorize`,
            token_endpoint: `${issuer}/token`,
            jwks_uri: `${issuer}/jwks`,
            response_types_supported: ['code'],
            subject_types_supported: ['public'],
            id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
            authorization_response_iss_parameter_supported: true,
            ...more,
          },
        ];
      case '/jwks':
        return [200, { keys: [key.jwk] }];
      case '/token':
        return token(body);
      default:
        return [404, {}];
    }
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', async () => {
      const other = disturbed.get(path);
      if (other !== undefined) return other(response);
      const [status, json] = await answer(path, new URLSearchParams(body));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    });
  });
  server.keepAliveTimeout = 0; // or it might close a connection on which something is just being asked
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  issuer = `http://127.0.0.1:${port}`;

  return {
    issuer,
    asked,
    approve(authorizationUrl, person, { claims = {}, signed, answeredIss = issuer } = {}) {
      const { searchParams } = new URL(authorizationUrl);
      const at = Math.floor(Date.now() / 1000);
      const honest = { iss: issuer, aud: searchParams.get('client_id'), iat: at, exp: at + 60 };
      const all = { ...honest, nonce: searchParams.get('nonce'), ...person, ...claims };
      const code = randomUUID();
      grants.set(code, {
        challenge: searchParams.get('code_challenge') ?? '',
        redirectUri: searchParams.get('redirect_uri') ?? '',
        claims: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)),
        signed,
      });
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      back.search = new URLSearchParams({
        code,
        state: searchParams.get('state') ?? '',
        iss: answeredIss,
      }).toString();
      return `${back.pathname}${back.search}`;
    },
    accessToken(at, { claims = {}, signed, typ = 'at+jwt', kid = key.kid } = {}) {
      const honest = { iss: issuer, aud: API, sub: 'a person', iat: at, exp: at + 600 };
      const all = Object.entries({ ...honest, ...claims }).filter(([, value]) => value !== null);
      return sign(Object.fromEntries(all), signed, { typ, kid });
    },
    logoutToken(at, { claims = {}, signed, typ = 'logout+jwt' } = {}) {
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      const honest = { iss: issuer, aud: CLIENT.clientId, iat: at, exp: at + 60, jti: randomUUID(), events };
      const all = Object.entries({ ...honest, ...claims }).filter(([, value]) => value !== null);
      return sign(Object.fromEntries(all), signed, { typ });
    },
    async rotate() {
      key = await newKey();
    },
    disturb(path, other) {
      if (other === undefined) disturbed.delete(path);
      else disturbed.set(path, other);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
