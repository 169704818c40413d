/**
 * The programs that people have at hand, against the real process: mosquitto_pub (3.1.1 and 5), libcoap's client and
 * curl each open a window; curl logs in, claims, and gives back.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanUp, type ServerProcess, startServer } from '../kit/process.ts';
import { COAP_CLIENT, needing, runProgram } from '../kit/programs.ts';

const CLAIM = '{"secretKey":"value","durationMs":600000}';
const TOKEN = 'T1_TEST_TOKEN';
const DEVICE = 'Thermostat%20T1';

const programs = suite('programs');
let server: ServerProcess;
programs.before(async () => {
  server = await startServer({ args: ['--demo'] });
});
programs.after(cleanUp);

/** What curl hears: the body, and the status behind it. */
async function curl(method: string, path: string, token?: string, body?: string): Promise<string> {
  const { code, out } = await runProgram('curl', [
    ...['-s', '-X', method, '-w', ' %{http_code}', `http://127.0.0.1:${server.httpPort}${path}`],
    ...(token === undefined ? [] : ['-H', `X-Authorization: Bearer ${token}`]),
    ...(body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', body]),
  ]);
  assert.is(code, 0, out);
  return out.trim();
}

const publish = (version: string) => (accessToken: string) =>
  runProgram('mosquitto_pub', [
    ...['-h', '127.0.0.1', '-p', String(server.mqttPort), '-V', version, '-q', '1'],
    ...['-u', accessToken, '-t', 'v1/devices/me/claim', '-m', CLAIM],
  ]);

/** How each opens a window, and what it says to a token that no device has. */
const WAYS = [
  {
    what: 'mosquitto_pub, MQTT 3.1.1',
    program: 'mosquitto_pub',
    open: publish('mqttv311'),
    stranger: /not authori/i,
  },
  {
    what: 'mosquitto_pub, MQTT 5',
    program: 'mosquitto_pub',
    open: publish('mqttv5'),
    stranger: /not authori|bad user/i,
  },
  {
    what: 'coap-client',
    program: COAP_CLIENT,
    open: (accessToken: string) => {
      const url = `coap://127.0.0.1:${server.coapPort}/api/v1/${accessToken}/claim`;
      return runProgram(COAP_CLIENT, ['-B', '60', '-m', 'post', '-t', '50', '-e', CLAIM, url]);
    },
    stranger: /4\.01/,
  },
  {
    what: 'curl',
    program: 'curl',
    open: (accessToken: string) => {
      const url = `http://127.0.0.1:${server.httpPort}/api/v1/${accessToken}/claim`;
      return runProgram('curl', ['-sS', '-f', '-X', 'POST', '-d', CLAIM, url]);
    },
    stranger: /401/,
  },
] as const;

for (const { what, program, open, stranger } of WAYS) {
  needing([program, 'curl'], programs)(
    `programs: ${what} opens a window, curl claims it and gives it back`,
    async () => {
      const login = await curl(
        'POST',
        '/api/auth/login',
        undefined,
        '{"username":"customerA@thingsboard.org","password":"customer"}',
      );
      const token = /"token":"([^"]+)"/.exec(login)?.[1];
      const path = `/api/customer/device/${DEVICE}/claim`;

      const opened = await open(TOKEN);
      assert.equal([opened.code, opened.out.trim()], [0, '']);
      assert.is(await curl('POST', path, token, '{"secretKey":"a guess"}'), '"FAILURE" 400');
      assert.match(await curl('POST', path, token, '{"secretKey":"value"}'), /"response":"SUCCESS"} 200$/);
      assert.is(await curl('POST', path, token, '{"secretKey":"value"}'), '"CLAIMED" 400');
      assert.is(await curl('DELETE', path, token, '{}'), '200');
      assert.match((await open('NOBODY')).out, stranger);
    },
  );
}

programs.run();
