/**
 * A broker asks who its client is, in the format of EMQX's HTTP authenticator (`client_attrs` since 5.7, `acl` since
 * 5.8). The answer is `allow` with what the client may do, `deny`, or `ignore`, after which EMQX asks elsewhere. EMQX
 * also takes statuses of 4xx and 5xx as `ignore`, so while the store is away nobody is refused for good.
 *
 * The answer shows whether a token is good, so only programs with the shared secret get one. Wrong tokens are not
 * counted by address: it is the broker's, and a limit would lock out all its clients.
 */
import { z } from 'zod';
import { type MqttBasicParts, sameText } from '../../actors/fleet/credentials.ts';
import { defineRoute, type Route } from '../route.ts';
import { badCredentials, notFound } from '../wire/errors.ts';
import { json, type Reply } from '../wire/reply.ts';

/** What a broker can ask about devices. */
export interface BrokerAuth {
  /** The shared secret. */
  readonly secret: string;
  /** The answer for unknown clients and wrong credentials. */
  readonly unknown: 'deny' | 'ignore';
  /** Who decides about topics that are not for claiming: they are denied, or the broker's own rules decide. */
  readonly otherTopics: 'deny' | 'broker';
  /** The account of this server at the broker; it may do everything. */
  readonly self?: { readonly username: string; readonly password: string };
  /** The device with the credentials of a CONNECT. Rejects with `StoreUnavailable`. */
  identify(credentials: MqttBasicParts): Promise<IdentifiedDevice | undefined>;
}

interface IdentifiedDevice {
  /** The device's name in topics. */
  readonly id: string;
  readonly rights: {
    readonly publish: readonly string[];
    readonly subscribe: readonly string[];
    /** Topic filters that belong to others. */
    readonly nothing: readonly string[];
  };
}

/** Longer texts cannot be credentials. */
const CREDENTIAL_MAX = 4096;
/** For a field that the client left out, EMQX sends nothing or the word "undefined". */
const credential = z
  .string()
  .max(CREDENTIAL_MAX)
  .nullish()
  .transform((text) => (text === undefined || text === 'undefined' || text === '' ? null : text));

const questionBody = z.object({ clientid: credential, username: credential, password: credential });

const rule = z.object({
  permission: z.enum(['allow', 'deny']),
  action: z.enum(['publish', 'subscribe', 'all']),
  topic: z.string(),
});
const answerView = z.object({
  result: z.enum(['allow', 'deny', 'ignore']),
  is_superuser: z.boolean().optional(),
  client_attrs: z.object({ device: z.string() }).optional(),
  acl: z.array(rule).optional(),
});

type Answer = z.infer<typeof answerView>;
type Rule = z.infer<typeof rule>;

export function mqttAuthRoutes({ brokerAuth }: { readonly brokerAuth?: BrokerAuth }): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/mqtt/auth',
      summary: 'A broker asks who its client is; with the shared secret as `Authorization: Bearer …`',
      roles: ['PUBLIC'],
      body: questionBody,
      responses: {
        200: { description: 'Who it is and what it may do, or that it is nobody', schema: answerView },
        401: { description: 'Not the shared secret' },
        404: { description: 'The server has no shared secret' },
      },
      async handle({ body, bearer }): Promise<Reply> {
        if (brokerAuth === undefined) return notFound;
        if (!sameText(bearer() ?? '', brokerAuth.secret)) return badCredentials;
        return json(await answer(brokerAuth, body));
      },
    }),
  ];
}

async function answer(auth: BrokerAuth, asked: z.infer<typeof questionBody>): Promise<Answer> {
  const { clientid: clientId, username: userName, password } = asked;
  const { self } = auth;
  const isSelf =
    self !== undefined && sameText(userName ?? '', self.username) && sameText(password ?? '', self.password);
  if (isSelf) return { result: 'allow', is_superuser: true };
  const device = await auth.identify({ clientId, userName, password });
  if (device === undefined) return { result: auth.unknown };
  const { id, rights } = device;
  return {
    result: 'allow',
    is_superuser: false,
    client_attrs: { device: id },
    // The first rule that matches decides; if none does, the broker's other rules decide.
    acl: [
      ...rights.publish.map(
        (topic): Rule => ({ permission: 'allow', action: 'publish', topic: exactly(topic) }),
      ),
      ...rights.subscribe.map(
        (topic): Rule => ({ permission: 'allow', action: 'subscribe', topic: exactly(topic) }),
      ),
      ...rights.nothing.map((topic): Rule => ({ permission: 'deny', action: 'all', topic })),
      ...(auth.otherTopics === 'deny' ? [NOTHING_ELSE] : []),
    ],
  };
}

/** Otherwise a device could subscribe to all others by a wildcard, and tokens are in the topics. */
const NOTHING_ELSE: Rule = { permission: 'deny', action: 'all', topic: '#' };

/** Exactly this topic: a token may contain the characters of wildcards. */
const exactly = (topic: string) => `eq ${topic}`;
