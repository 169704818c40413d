/**
 * Where devices publish on an external broker. A broker does not tell a subscriber who published, so the topic names the
 * device, and the broker has put or checked that name: a template says in which level it is.
 *
 *   {token}/v1/devices/me/claim    the broker prefixes what a device publishes (EMQX's mountpoint)
 *   v1/devices/{token}/claim       the device names itself, the broker lets it name nobody else (Mosquitto's patterns)
 *
 * Where what follows the token is one of ThingsBoard's own topics, it means here what it means at the endpoint: the
 * payload's format, and on which topic the device hears the outcome. Elsewhere the format is the one of the device's
 * profile and the outcome is published beside the claim, at `…/response`.
 */
import type { PayloadFormat } from '../../../actors/fleet/profiles.ts';
import { CLAIM_RESPONSE_TOPIC, GATEWAY_CLAIM_RESPONSE_TOPIC, routePublish } from '../topics.ts';

const TOKEN = '{token}';

type TemplateKind = 'device' | 'gateway';

/** What a topic says. */
export interface Addressed {
  readonly kind: TemplateKind;
  /** The level that names the device. */
  readonly token: string;
  /** Undefined: the topic does not say it. */
  readonly format: PayloadFormat | undefined;
  /** Where the device hears the outcome. */
  readonly responseTopic: string;
  /** What every topic of the device begins with, up to the slash behind its token. */
  readonly own: string;
  /** Whether the broker puts that in front: then the device does not know of it. */
  readonly mounted: boolean;
}

export interface Templates {
  /** What to subscribe to, without a group. */
  readonly filters: readonly string[];
  /** Undefined: no template fits. */
  read(topic: string): Addressed | undefined;
  /** What a broker should let this device do, and what it should not; in the device's own words and in the broker's. */
  rights(token: string): TopicRights;
}

interface TopicRights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Topics of other devices, unless named above. */
  readonly nothing: readonly string[];
}

interface Template {
  readonly kind: TemplateKind;
  readonly levels: readonly string[];
  readonly at: number;
  /** The levels behind the token. */
  readonly after: string;
  readonly format: PayloadFormat | undefined;
  /** Behind the token, where the device hears the outcome. */
  readonly responseAfter: string;
  readonly mounted: boolean;
}

/** What is wrong with templates, as sentences; empty: nothing. */
export function templateProblems(claimTopics: readonly string[], gatewayTopics: readonly string[]): string[] {
  const all = [...claimTopics, ...gatewayTopics];
  const problems = all.flatMap((template) => {
    const problem = problemOf(template);
    return problem === undefined ? [] : [`the topic template ${JSON.stringify(template)} ${problem}`];
  });
  for (const [index, template] of all.entries()) {
    const other = all.slice(index + 1).find((later) => overlap(template, later));
    if (other === undefined) continue;
    problems.push(
      `the topic templates ${JSON.stringify(template)} and ${JSON.stringify(other)} fit the same topics: their messages would come twice`,
    );
  }
  if (claimTopics.length === 0) problems.push('there is no topic template for devices');
  if (problems.length > 0) return problems;
  for (const template of templatesOf(claimTopics, gatewayTopics)) {
    const response = `${template.levels.slice(0, template.at + 1).join('/')}/${template.responseAfter}`;
    const listening = all.find((other) => overlap(response, other));
    if (listening === undefined) continue;
    problems.push(
      `the topic template ${JSON.stringify(listening)} fits the topic of outcomes ${JSON.stringify(response)}: they would be taken for claims`,
    );
  }
  return problems;
}

const TOPIC_CHARS_MAX = 512;

function problemOf(template: string): string | undefined {
  const levels = template.split('/');
  const tokens = levels.filter((level) => level === TOKEN).length;
  if (tokens !== 1) return `must have exactly one level that is ${TOKEN}`;
  if (levels.length < 2) return 'must have a level besides the token: it would fit everything else';
  if (levels.some((level) => level !== TOKEN && /[{}]/.test(level))) return 'has braces in another level';
  if (/[+#\0]/.test(template)) return 'must not have a wildcard';
  if (template.startsWith('$')) return 'must not begin with $';
  if (levels.includes('')) return 'must not have an empty level';
  if (template.length > TOPIC_CHARS_MAX) return `must not have more than ${TOPIC_CHARS_MAX} characters`;
  return undefined;
}

function overlap(a: string, b: string): boolean {
  const [left, right] = [a.split('/'), b.split('/')];
  return (
    left.length === right.length &&
    left.every((level, at) => level === right[at] || level === TOKEN || right[at] === TOKEN)
  );
}

/** Throws where `templateProblems` finds something. */
export function createTemplates(claimTopics: readonly string[], gatewayTopics: readonly string[]): Templates {
  const [problem] = templateProblems(claimTopics, gatewayTopics);
  if (problem !== undefined) throw new RangeError(problem);
  const templates = templatesOf(claimTopics, gatewayTopics);
  const filterOf = ({ levels, at }: Template) => levels.with(at, '+').join('/');
  /** The first levels of topics: a token with such a name would own the topics of all devices. */
  const above = new Set(templates.flatMap(({ levels, at }) => (at > 0 ? levels.slice(0, 1) : [])));

  return {
    filters: templates.map(filterOf),

    read(topic) {
      const levels = topic.split('/');
      const template = templates.find((one) => fits(one, levels));
      if (template === undefined || (template.at === 0 && above.has(levels[0] ?? ''))) return undefined;
      const { kind, at, format, mounted, responseAfter } = template;
      const own = `${levels.slice(0, at + 1).join('/')}/`;
      return { kind, token: levels[at] ?? '', format, own, mounted, responseTopic: own + responseAfter };
    },

    rights(token) {
      const named = templates.map((template) => {
        const own = `${template.levels.slice(0, template.at).concat(token).join('/')}/`;
        const prefixes = template.mounted ? [own, ''] : [own];
        return {
          publish: prefixes.map((prefix) => prefix + template.after),
          subscribe: prefixes.map((prefix) => prefix + template.responseAfter),
          nothing: [
            filterOf(template),
            `${template.levels.slice(0, template.at).concat('+').join('/')}/${template.responseAfter}`,
          ],
        };
      });
      const all = (of: (one: (typeof named)[number]) => string[]) => [...new Set(named.flatMap(of))];
      return {
        publish: all((one) => one.publish),
        subscribe: all((one) => one.subscribe),
        nothing: all((one) => one.nothing),
      };
    },
  };
}

function fits({ levels: wanted, at }: Template, levels: readonly string[]): boolean {
  return (
    wanted.length === levels.length && wanted.every((level, index) => index === at || level === levels[index])
  );
}

function templatesOf(claimTopics: readonly string[], gatewayTopics: readonly string[]): Template[] {
  return [
    ...claimTopics.map((text) => templateOf(text, 'device')),
    ...gatewayTopics.map((text) => templateOf(text, 'gateway')),
  ];
}

function templateOf(text: string, kind: TemplateKind): Template {
  const levels = text.split('/');
  const at = levels.indexOf(TOKEN);
  const after = levels.slice(at + 1).join('/');
  const route = routePublish(after);
  const base = { kind, levels, at, after, mounted: true };
  if (kind === 'device' && route.type === 'claim') {
    return { ...base, format: route.format, responseAfter: CLAIM_RESPONSE_TOPIC };
  }
  if (kind === 'gateway' && route.type === 'gateway' && route.action === 'claim') {
    return { ...base, format: undefined, responseAfter: GATEWAY_CLAIM_RESPONSE_TOPIC };
  }
  return {
    ...base,
    mounted: false,
    format: undefined,
    responseAfter: after === '' ? 'response' : `${after}/response`,
  };
}
