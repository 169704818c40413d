/**
 * A thousand claims that a webhook hears of, while servers are killed and started again: what was acknowledged is heard at least once,
 * nothing of a device is missing, and nothing of it comes before what happened before.
 */
import * as assert from 'uvu/assert';
import { type Cast, cast, restApi } from './api.ts';
import { ConnectionBroken, type Reply } from './http.ts';
import { type Receiver, withStatus } from './receiver.ts';
import { pause, until } from './until.ts';

export const WEBHOOK_ENVIRONMENT = {
  OUTBOUND_ALLOW_HTTP: 'true',
  OUTBOUND_ALLOWED_NETWORKS: '127.0.0.1',
  SECURITY_CLAIM_WINDOWS_PER_DEVICE: '0',
};

const DEVICES = 100;
const CLAIMS_OF_EACH = 10;
export const CLAIMS = DEVICES * CLAIMS_OF_EACH;
/** Each message of so many is refused when it comes for the first time. */
const REFUSED_EACH = 40;
const AGAIN_MS = 20;
const AT_ONCE = 20;

export interface ClaimsUnderWay {
  /** Acknowledged so far. */
  readonly claims: () => number;
  readonly done: Promise<void>;
  /** Waits until all is heard, and sees that it is as it should be. */
  check(): Promise<void>;
}

/** @param urls of all nodes; who has no answer asks the next */
export async function beginClaims(
  urls: readonly string[],
  password: string,
  receiver: Receiver,
): Promise<ClaimsUnderWay> {
  const people = await cast(urls[0] ?? '', password, 1);
  await people.api.post('/api/webhook', people.tenant, { url: receiver.url });
  const refused = new Set<string>();
  let count = 0;
  receiver.answer((heard, response) => {
    count += 1;
    const refuse = count % REFUSED_EACH === 0 && !refused.has(heard.id);
    if (refuse) refused.add(heard.id);
    withStatus(refuse ? 500 : 204)(heard, response);
  });
  const devices = await makeDevices(people);
  let claims = 0;
  const waiting = [...devices.keys()];
  const apis = urls.map(restApi);

  /** Asks until there is an answer. */
  async function answered(ask: (api: (typeof apis)[number]) => Promise<Reply>): Promise<Reply> {
    for (let turn = 0; ; turn += 1) {
      const api = apis[turn % apis.length] ?? people.api;
      const reply = await ask(api).catch((error: unknown) => {
        if (!(error instanceof ConnectionBroken)) throw error;
        return undefined;
      });
      if (reply !== undefined && reply.status < 500 && reply.status !== 429) return reply;
      await pause(AGAIN_MS);
    }
  }

  async function play(name: string): Promise<void> {
    const { token } = people.customers[0] ?? { token: '' };
    for (let turn = 1; turn <= CLAIMS_OF_EACH; turn += 1) {
      await answered((api) => api.initiate(`t-${name}`, { secretKey: 'right', durationMs: 600_000 }));
      await answered((api) => api.confirm(token, name, 'right'));
      claims += 1;
      if (turn < CLAIMS_OF_EACH) await answered((api) => api.reclaim(token, name));
    }
  }

  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await play(name);
  };
  return {
    claims: () => claims,
    done: Promise.all(Array.from({ length: AT_ONCE }, work)).then(() => {}),
    async check() {
      const numbers = () => [...devices.values()].map((id) => numbersOf(receiver, id));
      await until('all claims are heard', () => claimsHeard(receiver, devices) === CLAIMS, 10 * 60_000);
      for (const some of numbers()) {
        assert.equal(
          some,
          some.map((_, at) => at + 1),
          'none is missing, and none came before its time',
        );
      }
      assert.ok(refused.size > 0, 'something was refused');
    },
  };
}

async function makeDevices({ api, tenant }: Cast): Promise<Map<string, string>> {
  const devices = new Map<string, string>();
  for (let n = 0; n < DEVICES; n += 1) {
    const name = `device-${n}`;
    devices.set(name, (await api.createDevice(tenant, name, `t-${name}`)).id.id);
  }
  return devices;
}

/** The numbers of a device's events, in the order in which each was heard and taken for the first time. */
function numbersOf({ heard }: Receiver, deviceId: string): readonly number[] {
  const mine = heard.filter(({ id, status }) => status === 204 && id.startsWith(`evt_${deviceId}_`));
  return [...new Set(mine.map(({ id }) => Number(id.split('_')[2])))];
}

function claimsHeard({ heard }: Receiver, devices: ReadonlyMap<string, string>): number {
  const ids = new Set(devices.values());
  const claimed = heard.filter(({ status, body }) => status === 204 && body.includes('"device.claimed"'));
  return new Set(claimed.map(({ id }) => id).filter((id) => ids.has(id.split('_')[1] ?? ''))).size;
}
