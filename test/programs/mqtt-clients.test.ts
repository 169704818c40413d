/** Clients of others: the `mqtt` package and Mosquitto's, in every version they speak, over real sockets. */
import mqtt from 'mqtt';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { TENANT } from '../contract/transport-world.ts';
import { createSimClock } from '../kit/clock.ts';
import { CLAIM_RESPONSE_TOPIC, CLAIM_TOPIC, type Version } from '../kit/mqtt-client.ts';
import { needing, runProgram } from '../kit/programs.ts';
import { until } from '../kit/until.ts';

/** How long Mosquitto's requester waits for an answer. */
const WAIT_S = '60';
const MOSQUITTO_VERSION: Readonly<Record<Version, string>> = { 3: 'mqttv31', 4: 'mqttv311', 5: 'mqttv5' };

function connectArgs(port: number, version: Version, token: string): string[] {
  return [
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '-V',
    MOSQUITTO_VERSION[version],
    '-u',
    token,
    '-i',
    'device',
  ];
}

const withPublisher = needing(['mosquitto_pub'], test);
const withRequester = needing(['mosquitto_rr'], test);
const withSubscriber = needing(['mosquitto_sub'], test);

for (const version of VERSIONS) {
  const name = VERSION_NAME[version];

  for (const qos of [0, 1, 2] as const) {
    withPublisher(`mosquitto_pub: MQTT ${name}: QoS ${qos}: the window is open`, () =>
      withMqtt({}, async ({ world, port }) => {
        const id = await world.provision('TOKEN');
        const payload = '{"secretKey":"value","durationMs":60000}';
        const args = [
          ...connectArgs(port, version, 'TOKEN'),
          '-q',
          String(qos),
          '-t',
          CLAIM_TOPIC,
          '-m',
          payload,
        ];
        const { code, out } = await runProgram('mosquitto_pub', args);
        assert.is(out, '');
        assert.is(code, 0);
        const digest = world.secrets.digest(id, 'value');
        await until(
          'the window is open',
          async () => (await world.devices.read(id))?.window?.secretDigest === digest,
        );
      }),
    );
  }

  withPublisher(`mosquitto_pub: MQTT ${name}: a password is tolerated, an unknown token is not`, () =>
    withMqtt({}, async ({ world, port }) => {
      await world.provision('TOKEN');
      const claim = ['-t', CLAIM_TOPIC, '-m', '{}', '-q', '1'];
      const good = [...connectArgs(port, version, 'TOKEN'), '-P', 'pswd', ...claim];
      assert.is((await runProgram('mosquitto_pub', good)).code, 0);
      const bad = await runProgram('mosquitto_pub', [...connectArgs(port, version, 'WRONG'), ...claim]);
      assert.is.not(bad.code, 0);
      assert.match(bad.out, /not authori[sz]ed|Bad user/i);
    }),
  );

  withSubscriber(`mosquitto_sub: MQTT ${name}: the device's own topics are granted, all others refused`, () =>
    withMqtt({}, async ({ world, port }) => {
      await world.provision('TOKEN');
      const listen = (topic: string) => [
        ...connectArgs(port, version, 'TOKEN'),
        '-q',
        '1',
        '-t',
        topic,
        '-E',
      ];
      const own = await runProgram('mosquitto_sub', listen(CLAIM_RESPONSE_TOPIC));
      assert.equal([own.code, own.out], [0, '']);
      const all = await runProgram('mosquitto_sub', listen('#'));
      assert.match(all.out, /denied|failed|rejected/i);
    }),
  );

  withRequester(`mosquitto_rr: MQTT ${name}: publishes a claim and hears the outcome`, () =>
    withMqtt({}, async ({ world, port }) => {
      await world.provision('TOKEN');
      const args = [...connectArgs(port, version, 'TOKEN'), '-q', '1', '-W', WAIT_S];
      const { out } = await runProgram('mosquitto_rr', [
        ...args,
        '-t',
        CLAIM_TOPIC,
        '-e',
        CLAIM_RESPONSE_TOPIC,
        '-m',
        '{}',
      ]);
      assert.is(JSON.parse(out).status, 'opened');
    }),
  );

  withRequester(
    `mosquitto_rr: MQTT ${name}: asks for attributes and calls, each answered on the topic of its own answer`,
    () =>
      withMqtt({}, async ({ world, port }) => {
        const id = await world.provision('TOKEN');
        const whose = { tenantId: TENANT, customerId: null, scope: 'SHARED_SCOPE' } as const;
        await world.devices.ask(id, { type: 'SaveAttributes', ...whose, values: { a: 1 } });
        const ask = async (feature: string, question: string) => {
          const topics = ['-t', `${feature}/request/17`, '-e', `${feature}/response/17`, '-m', question];
          const data =
            version === 5 ? ['-D', 'publish', 'correlation-data', 'zz', '-F', '%p [%D]'] : ['-F', '%p [zz]'];
          const args = [...connectArgs(port, version, 'TOKEN'), '-q', '1', '-W', WAIT_S, ...topics, ...data];
          return (await runProgram('mosquitto_rr', args)).out.trim();
        };
        const attributes = 'v1/devices/me/attributes';
        assert.is(await ask(attributes, '{"sharedKeys":"a","clientKeys":"b"}'), '{"shared":{"a":1}} [zz]');
        assert.is(
          await ask('v1/devices/me/rpc', '{"method":"x","params":{}}'),
          '{"error":"timeout"} [zz]',
          'nobody answers calls',
        );
      }),
  );

  const options = (token: string): mqtt.IClientOptions => ({
    protocolVersion: version,
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    username: token,
    clientId: 'package',
    reconnectPeriod: 0,
  });

  test(`mqtt package: MQTT ${name}: claims with every QoS and hears the outcomes`, () =>
    withMqtt({}, async ({ world, port }) => {
      const id = await world.provision('TOKEN');
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options('TOKEN'));
      try {
        const granted = await client.subscribeAsync(CLAIM_RESPONSE_TOPIC, { qos: 1 });
        assert.is(granted[0]?.qos, 1);
        const heard: string[] = [];
        client.on('message', (topic, payload) => {
          heard.push(`${topic} ${JSON.parse(payload.toString()).status}`);
        });
        for (const qos of [0, 1, 2] as const) {
          await client.publishAsync(CLAIM_TOPIC, JSON.stringify({ secretKey: `s${qos}` }), { qos });
        }
        assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 's2'));
        await until('all outcomes are heard', () => heard.length === 3);
        assert.equal(heard, Array(3).fill(`${CLAIM_RESPONSE_TOPIC} opened`));
      } finally {
        await client.endAsync(true);
      }
    }));

  test(`mqtt package: MQTT ${name}: a refusal is an error where the version can say so`, () =>
    withMqtt({}, async ({ world, port }) => {
      await world.assign(await world.provision('TOKEN'));
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options('TOKEN'));
      try {
        const outcome = await client.publishAsync(CLAIM_TOPIC, '{}', { qos: 1 }).then(
          () => 'acknowledged',
          (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
        );
        assert.is(outcome, version === 5 ? 0x87 : 'acknowledged');
      } finally {
        await client.endAsync(true);
      }
    }));

  test(`mqtt package: MQTT ${name}: five hundred publications without waiting are all acknowledged`, () =>
    withMqtt({ inFlightMax: 20 }, async ({ world, port }) => {
      await world.provision('TOKEN');
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options('TOKEN'));
      try {
        const lanes = version === 5 ? 20 : 500; // the package does not heed the Receive Maximum by itself
        let left = 500;
        const lane = async (): Promise<void> => {
          while (left-- > 0) await client.publishAsync(CLAIM_TOPIC, '{}', { qos: left % 2 === 0 ? 1 : 2 });
        };
        await Promise.all(Array.from({ length: lanes }, lane));
        assert.is(world.commands.length, 500);
      } finally {
        await client.endAsync(true);
      }
    }));
}

test('mqtt package: keeps itself alive', () => {
  const clock = createSimClock(Date.UTC(2026, 0, 1));
  return withMqtt(
    {},
    async ({ world, port }) => {
      await world.provision('TOKEN');
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
        username: 'TOKEN',
        keepalive: 1,
        reconnectPeriod: 0,
      });
      let closed = false;
      let answered = 0;
      client.on('close', () => {
        closed = true;
      });
      client.on('packetreceive', ({ cmd }) => {
        if (cmd === 'pingresp') answered += 1;
      });
      for (let pings = 1; pings <= 3; pings += 1) {
        await until(`ping ${pings} is answered`, () => answered >= pings || closed);
        clock.advance(1_400); // it may be silent for 1.5 s
      }
      await until('one more is answered', () => answered >= 4 || closed);
      assert.is(closed, false);
      await client.endAsync(true);
    },
    { clock },
  );
});

test.run();
