/**
 * A broker asks who its client is, in the words of EMQX's HTTP authenticator (since 5.7 with `client_attrs`, since 5.8 with
 * `acl`): `allow` and what it may do, `deny`, or `ignore` for it to ask elsewhere. Statuses of 4xx and 5xx mean `ignore` to
 * EMQX too, so a store that is away refuses nobody for good.
 *
 * The answer tells whether a token is good, so only programs that show the shared secret are answered. Wrong tokens are not
 * counted by address: it is the broker's, and a limit would lock out everybody behind it.
 */
import { z } from 'zod';
import { type MqttBasicParts, sameText } from '../../actors/fleet/credentials.ts';
import { defineRoute, type Route } from '../route.ts';
import { badCredentials, notFound } from '../wire/errors.ts';
import { json, type Reply } from '../wire/reply.ts';

/** What there is to be asked about devices by a broker. */
export interface BrokerAuth {
  /** Whoever shows it may ask. */
  readonly secret: string;
  /** What is said of clients that are not known, or show wrong credentials. */
  readonly unknown: 'deny' | 'ignore';
  /** Who decides about topics that have nothing to do with claiming: nobody may use them, or the broker's own rules do. */
  readonly otherTopics: 'deny' | 'broker';
  /** This server itself, as a client of the broker that asks: it may do everything. */
  readonly self?: { readonly username: string; readonly password: string };
  /** The device behind what a client says in CONNECT. Rejects with `StoreUnavailable`. */
  identify(said: MqttBasicParts): Promise<IdentifiedDevice | undefined>;
}

export interface IdentifiedDevice {
  /** What stands for the device in topics. */
  readonly id: string;
  readonly rights: {
    readonly publish: readonly string[];
    readonly subscribe: readonly string[];
    /** Filters of what belongs to others. */
    readonly nothing: readonly string[];
  };
}

/** Longer ones are no credentials of ours. */
const CREDENTIAL_MAX = 4096;
/** What EMQX sends for what a client did not say: nothing, or the word. */
const said = z
  .string()
  .max(CREDENTIAL_MAX)
  .nullish()
  .transform((text) => (text === undefined || text === 'undefined' || text === '' ? null : text));

const questionBody = z.object({ clientid: said, username: said, password: said });

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
        if (!sameText(bearer ?? '', brokerAuth.secret)) return badCredentials;
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
    // The first rule that fits decides; what fits none, the broker's other rules decide.
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

/** Else a device could listen to all others by a wildcard: their tokens are in the topics. */
const NOTHING_ELSE: Rule = { permission: 'deny', action: 'all', topic: '#' };

/** The topic itself, whatever characters a token has; else it would be a filter. */
const exactly = (topic: string) => `eq ${topic}`;
