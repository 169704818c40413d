/**
 * One claim with everything around it that people already run: an identity provider, a webhook, a Prometheus, a collector of traces and
 * a mail server, each a program or library of others. Played by a test and by the second part of `npm run demo`.
 */
import { Webhook } from 'standardwebhooks';
import * as assert from 'uvu/assert';
import { type Api, restApi } from './api.ts';
import { Person, PHONE, visitAs } from './browser.ts';
import { temporaryFolder } from './folders.ts';
import { CLIENT } from './identity-provider.ts';
import { type IndependentProvider, startIndependentProvider } from './independent-provider.ts';
import { type MailServer, mailEnvironment, startMailServer } from './mail-server.ts';
import { CLAIM_TOPIC, claimPacket, RawMqttClient } from './mqtt-client.ts';
import { plainBrowser } from './plain-browser.ts';
import { freePorts } from './ports.ts';
import { type ServerProcess, startServer } from './process.ts';
import { metricsPortOf, startPrometheus } from './prometheus.ts';
import { type Heard, type Receiver, startReceiver } from './receiver.ts';
import { startTraceCollector, type TraceCollector, tracesEnvironment } from './trace-collector.ts';
import { until } from './until.ts';
import { beginClaims, CLAIMS, WEBHOOK_ENVIRONMENT } from './webhook-story.ts';

const SYSADMIN_PASSWORD = 'connected-story-sysadmin';
const DEVICE = { name: 'Kitchen Lamp', token: 'token-of-kitchen-lamp', key: 'on the lamp' };
const BUTTON = 'Sign in with Home ID';
const LONG_MS = 10 * 60_000;
/** The pages of the provider ask for a font there, which nobody gives them. */
const FONTS = 'https://fonts.googleapis.com/';
/** Chromium reaches this machine and nothing else. */
export const LOCAL_ALONE = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];

export interface StoryNeeds {
  /** Undefined: she has one without a screen and without script. */
  readonly browser: Parameters<typeof Person.open>[0] | undefined;
  /** Whether there is a Prometheus on this machine. */
  readonly hasPrometheus: boolean;
  /** In the middle of a thousand claims; 0: there are no such claims. */
  readonly kills: number;
  /** Takes what has happened, a sentence each. */
  tell(line: string): void;
}

interface World {
  readonly server: ServerProcess;
  /** Starts it again on the same folder and the same port. */
  restart(): Promise<ServerProcess>;
  readonly provider: IndependentProvider;
  readonly mails: MailServer;
  readonly receiver: Receiver;
  readonly collector: TraceCollector;
}

export async function playConnectedStory(needs: StoryNeeds): Promise<void> {
  const [provider, mails, receiver, collector] = await Promise.all([
    startIndependentProvider(),
    startMailServer(),
    startReceiver(),
    startTraceCollector(),
  ]);
  try {
    const start = await serverBeside(mails, collector);
    const world = { server: await start(), restart: start, provider, mails, receiver, collector };
    needs.tell(
      'A server runs beside an identity provider, a mail server, a receiver of webhooks and a collector of traces.',
    );
    await claimConnected(world, needs);
    if (needs.kills > 0) await killInTheMiddle(world, needs);
    else assert.is((await world.server.stop()).code, 0);
  } finally {
    await Promise.all([provider, mails, receiver, collector].map((one) => one.stop()));
  }
}

async function serverBeside(mails: MailServer, collector: TraceCollector) {
  const [httpPort = 0] = await freePorts(1);
  const dataDir = temporaryFolder();
  const env = {
    ...WEBHOOK_ENVIRONMENT,
    ...mailEnvironment(mails.port),
    ...tracesEnvironment(collector.url),
    OTEL_BSP_SCHEDULE_DELAY: '200', // ms; by default the SDK sends every five seconds
    METRICS_ENABLED: 'true',
    METRICS_BIND_PORT: '0',
    HTTP_BIND_PORT: String(httpPort),
    HTTP_BASE_URL: `http://127.0.0.1:${httpPort}`,
    SYSADMIN_PASSWORD,
  };
  return () => startServer({ dataDir, env });
}

interface People {
  readonly api: Api;
  readonly email: string;
  /** Of the webhook. */
  readonly secret: string;
}

async function claimConnected(world: World, { browser, hasPrometheus, tell }: StoryNeeds): Promise<void> {
  const { server, receiver, collector, mails } = world;
  const people = await settle(world);
  tell(
    'The administrator has set up sign-in by the provider, and a webhook. Alice chose a password by a mail, so the address is hers.',
  );

  await openWindow(server);
  tell(`"${DEVICE.name}" connects by MQTT 5 and opens its claim window.`);

  if (browser === undefined) {
    await claimWithoutScreen(world, people);
    tell('There is no Chromium here, so a browser without a screen and without script does what Alice does:');
  } else await claimInBrowser(world, browser, people);
  tell(
    'Alice scans the label, signs in at the provider (OpenID Connect), is back where she was, claims: it is hers.',
  );

  const claimed = await webhookHeard(receiver);
  new Webhook(people.secret).verify(claimed.body, asText(claimed));
  assert.throws(() => new Webhook(people.secret).verify(`${claimed.body} `, asText(claimed)));
  tell(
    `The webhook hears device.claimed as ${claimed.id}; the library "standardwebhooks" verifies its signature.`,
  );

  const subject = `${DEVICE.name} is yours now`;
  const hasGone = () =>
    mails.heard.some(({ to, mail }) => to.includes(people.email) && mail.subject === subject);
  await until('Alice has the mail', hasGone);
  tell(`A mail has gone to Alice, who wanted it: "${subject}".`);

  const traceId = String(claimed.headers.traceparent).split('-')[1] ?? '';
  const names = () => collector.spans().flatMap((span) => (span.traceId === traceId ? [span.name] : []));
  const wanted = [`process ${CLAIM_TOPIC}`, 'POST /api/customer/device/:deviceName/claim', 'POST webhook'];
  await until('the trace is whole', () => wanted.every((name) => names().includes(name)));
  tell(`One trace spans it, from the device's publication to the webhook: ${traceId}.`);

  if (hasPrometheus) await seenByPrometheus(server, tell);
  else tell('There is no Prometheus here, so nobody has counted it.');
}

async function seenByPrometheus(server: ServerProcess, tell: StoryNeeds['tell']): Promise<void> {
  const prometheus = await startPrometheus(metricsPortOf(server));
  try {
    const isOne = async (expression: string) => (await prometheus.figure(`${expression} >= bool 1`)) === 1;
    await until(
      'Prometheus has counted it',
      async () =>
        (await isOne('claimd_claims_confirmed_total{outcome="success"}')) &&
        (await isOne('claimd_claim_windows_opened_total{transport="mqtt",outcome="opened"}')) &&
        (await isOne('claimd_mails_total{outcome="sent"}')),
    );
  } finally {
    await prometheus.stop();
  }
  tell('Prometheus has counted one window, one claim and one mail.');
}

/** A tenant with a device, a provider for all, a webhook, and a customer whose user has no wish to remember a password. */
async function settle({ server, provider, receiver, mails }: World): Promise<People> {
  const api = restApi(server.url);
  const sysadmin = await api.login('sysadmin@thingsboard.org', SYSADMIN_PASSWORD);
  const tenant = await api.createTenant(sysadmin, 'Lamps');
  const alice = await api.createCustomer(tenant, 'Alice');
  const email = 'user@alice.example';
  await api.post('/api/user/mailNotices', alice.token, { claimed: true });
  await api.must('POST', '/api/noauth/resetPasswordByEmail', undefined, { email });
  const isThere = () => mails.heard.find(({ mail }) => mail.text?.includes('resetToken='));
  await until('the mail is there', () => isThere() !== undefined);
  const [, resetToken] = /resetToken=([^\s&]+)/.exec(isThere()?.mail.text ?? '') ?? [];
  await api.must('POST', '/api/noauth/resetPassword', undefined, {
    resetToken,
    password: 'chosen by a mail',
  });
  await api.createDevice(tenant, DEVICE.name, DEVICE.token);
  const { redirectUri } = await api.post<{ redirectUri: string }>('/api/oauth2/client', sysadmin, {
    ...CLIENT,
    title: 'Home ID',
    loginButtonLabel: BUTTON,
    issuer: provider.issuer,
    allowedEmailDomains: ['alice.example'],
  });
  provider.begin(redirectUri);
  const { secret } = await api.post<{ secret: string }>('/api/webhook', tenant, { url: receiver.url });
  return { api, email, secret };
}

async function openWindow({ mqttPort }: ServerProcess): Promise<void> {
  const device = await RawMqttClient.connect(mqttPort, 5, DEVICE.token);
  device.send(claimPacket(1, 1, { secretKey: DEVICE.key, durationMs: 600_000 }));
  assert.is((await device.next('puback')).reasonCode ?? 0, 0);
  await device.close();
}

const LABEL = `/claim#${new URLSearchParams({ device: DEVICE.name, key: DEVICE.key })}`;

async function claimInBrowser(
  { server, provider }: World,
  browser: NonNullable<StoryNeeds['browser']>,
  { email }: People,
): Promise<void> {
  const alice = await Person.open(browser, server.url, PHONE, {}, [provider.issuer, FONTS]);
  await visitAs(alice, async ({ page }) => {
    await alice.goto(LABEL);
    await page.getByText(`Sign in to claim “${DEVICE.name}”.`).waitFor();
    await page.getByRole('link', { name: BUTTON }).click();
    await page.locator('input[name=login]').fill(email);
    await page.locator('input[name=password]').fill('whatever the provider asks for');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.locator('[data-scanned]').waitFor(); // the key of the label is still there
    await page.getByRole('button', { name: 'Claim', exact: true }).click();
    await page.getByRole('heading', { name: 'It is yours' }).waitFor();
  });
}

/** The same by links and forms alone. The label's key is typed, as it is kept by script. */
async function claimWithoutScreen({ server }: World, { email }: People): Promise<void> {
  const browser = plainBrowser();
  const login = await browser.open(`${server.url}/login?next=%2Fclaim`);
  const [, link = ''] = new RegExp(`href="([^"]+)"[^>]*>\\s*${BUTTON}`).exec(login.html) ?? [];
  let shown = await browser.open(new URL(link.replaceAll('&amp;', '&'), server.url).href);
  while (!shown.url.startsWith(server.url))
    shown = await browser.submit(shown, { login: email, password: 'whatever the provider asks for' });
  assert.match(shown.url, /\/claim$/);
  const done = await browser.submit(shown, { device: DEVICE.name, key: DEVICE.key }, '/claim');
  assert.match(done.html, 'It is yours');
}

async function webhookHeard({ heard }: Receiver): Promise<Heard> {
  const found = () => heard.find(({ body }) => body.includes('"device.claimed"'));
  await until('the webhook hears of the claim', () => found() !== undefined);
  const claimed = found();
  if (claimed === undefined) throw new Error('it was heard');
  return claimed;
}

const asText = ({ headers }: Heard) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

async function killInTheMiddle(
  { server: first, restart, receiver }: World,
  { kills, tell }: StoryNeeds,
): Promise<void> {
  let server = first;
  const story = await beginClaims([server.url], SYSADMIN_PASSWORD, receiver);
  for (let kill = 1; kill <= kills; kill += 1) {
    await until('it is in the middle', () => story.claims() >= (kill * CLAIMS) / (kills + 1), LONG_MS);
    await server.kill();
    server = await restart();
  }
  await story.done;
  await story.check();
  assert.is((await server.stop()).code, 0);
  tell(
    `kill -9, ${kills === 1 ? 'once' : `${kills} times`} in the middle of ${CLAIMS} claims: the webhook has each event, none is missing, none out of order for its device.`,
  );
}
