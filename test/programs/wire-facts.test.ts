/**
 * The facts of ThingsBoard's wire, row by row (`test/wire/`), over real sockets against the whole server: MQTT 3.1.1,
 * MQTT 5, HTTP and CoAP. What claimd answers otherwise is in the rows, with the deviation that says why.
 */
import { test } from 'uvu';
import { unreachable } from '../../actors/base/unreachable.ts';
import { makeCertificate } from '../kit/certificates.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { needing } from '../kit/programs.ts';
import { FACTS } from '../wire/facts.ts';
import { type Answer, type ConnectRow, claimdSays, type Door, deviationOf } from '../wire/model.ts';
import { playClaim, playConnect, playGateway, playOdd, playRest } from '../wire/play.ts';
import { createStage, type Stage } from '../wire/stage.ts';

/** Where rows are played that leave the server as it was. */
let shared: Stage;
test.before(async () => {
  shared = await createStage();
});
test.after(() => shared.stop());

/** Plays on a server of its own. */
async function apart(
  play: (stage: Stage) => Promise<void>,
  options: Record<string, string> = {},
): Promise<void> {
  const stage = await createStage({ options });
  try {
    await play(stage);
  } finally {
    await stage.stop();
  }
}

const ONE_WINDOW = { 'security.claim.windows.perDevice': '1' };

function on(given: string | undefined, play: (stage: Stage) => Promise<void>): Promise<void> {
  if (given === 'the store is gone') return apart(play);
  return given === 'its quota of windows is used up' ? apart(play, ONE_WINDOW) : play(shared);
}

const entries = <Name extends Door>(answers: { readonly [name in Name]?: Answer }) =>
  Object.entries(answers) as [Name, Answer][]; // the keys are those of the type

function titleOf(fact: string, door: string, what: string, answer: Answer): string {
  const by = deviationOf(answer);
  return `facts ${fact}: ${door}: ${what}: ${claimdSays(answer)}${by === undefined ? '' : ` (${by})`}`;
}

const withCertificates = needing(['openssl'], test);

async function overTls(row: ConnectRow, play: (stage: Stage) => Promise<void>): Promise<void> {
  if (row.says.certificate === undefined) return on(row.given, play);
  const { cert, key } = makeCertificate(temporaryFolder(), 'server');
  await apart(play, {
    'transport.mqtt.ssl.enabled': 'true',
    'transport.mqtt.ssl.bind_address': '127.0.0.1',
    'transport.mqtt.ssl.bind_port': '0',
    'transport.mqtt.ssl.credentials.pem.cert_file': cert,
    'transport.mqtt.ssl.credentials.pem.key_file': key,
  });
}

for (const row of FACTS) {
  const { fact, what } = row;
  switch (row.type) {
    case 'claim':
      for (const [door, answer] of entries(row.answers)) {
        test(titleOf(fact, door, what, answer), () =>
          on(row.given, (stage) => playClaim(stage, row, door, claimdSays(answer))),
        );
      }
      break;
    case 'odd':
      for (const [door, answer] of entries(row.answers)) {
        test(titleOf(fact, door, what, answer), () => playOdd(shared, row, door, claimdSays(answer)));
      }
      break;
    case 'connect': {
      const law = row.says.certificate === undefined ? test : withCertificates;
      for (const [door, answer] of entries(row.answers)) {
        law(titleOf(fact, door, what, answer), () =>
          overTls(row, (stage) => playConnect(stage, row, door, claimdSays(answer))),
        );
      }
      break;
    }
    case 'gateway': {
      const options = {
        'gateway.autoCreateDevices': String(row.given !== 'no devices are created'),
        ...(row.given === 'the quota of B is used up' ? ONE_WINDOW : {}),
      };
      for (const [door, answer] of entries(row.answers)) {
        test(titleOf(fact, door, what, answer), () =>
          playGateway(() => createStage({ options }), row, door, claimdSays(answer)),
        );
      }
      break;
    }
    case 'rest':
      test(titleOf(fact, row.ask, what, row.answer), () =>
        on(row.given, (stage) => playRest(stage, row, claimdSays(row.answer))),
      );
      break;
    case 'absent':
      break;
    default:
      unreachable(row);
  }
}

test.run();
