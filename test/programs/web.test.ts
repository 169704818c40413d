/**
 * The web application in a real browser, with a real server and devices over MQTT: every journey, on a phone and on a
 * desktop, in light and dark, with and without script.
 */
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { BROWSER, DESK, launchBrowser, look, Person, PHONE, visitAs } from '../kit/browser.ts';
import { claimPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { decoded, readPdf, wordsOn } from '../kit/pdf-reader.ts';
import { cleanUp, type ServerProcess, startServer } from '../kit/process.ts';
import { findProgram, needing } from '../kit/programs.ts';

const IMPORTED = 10_000;

let server: ServerProcess;
let browser: Browser;

test.before(async () => {
  if (findProgram(BROWSER) === undefined) return;
  server = await startServer({ args: ['--demo'] });
  browser = await launchBrowser();
});
test.after(async () => {
  await browser?.close();
  await cleanUp();
});

const journey = needing([BROWSER], test);

const remark = (text: string) => process.stdout.write(`\n# ${text}\n`);

async function visit(
  viewport: { width: number; height: number },
  play: (person: Person) => Promise<void>,
  more: Parameters<typeof Person.open>[3] = {},
): Promise<void> {
  await visitAs(await Person.open(browser, server.url, viewport, more), play);
}

/** A device opens its claim window over MQTT. */
async function openWindow(accessToken: string, secretKey: string): Promise<void> {
  const device = await RawMqttClient.connect(server.mqttPort, 5, accessToken);
  device.send(claimPacket(1, 1, { secretKey, durationMs: 600_000 }));
  assert.is((await device.next('puback')).reasonCode ?? 0, 0);
  await device.close();
}

const label = (device: string, key: string) => `/claim#${new URLSearchParams({ device, key })}`;

for (const [size, viewport] of [
  ['phone', PHONE],
  ['desk', DESK],
] as const) {
  journey(`${size}: a label is scanned, the customer signs in, claims, and gives back`, async () => {
    await openWindow('T1_TEST_TOKEN', 'printed on the box');
    await visit(viewport, async (person) => {
      const { page } = person;
      await person.goto(label('Thermostat T1', 'printed on the box'));
      await page.getByText('Sign in to claim “Thermostat T1”.').waitFor();
      assert.not.match(page.url(), 'printed');
      await look(person, `${size}-sign-in`);
      await person.signInAs('customerA@thingsboard.org');
      await page.getByText('Thermostat T1', { exact: true }).waitFor();
      assert.is(await page.getByLabel('Device name').inputValue(), 'Thermostat T1');
      await look(person, `${size}-claim`);
      await page.getByRole('button', { name: 'Claim', exact: true }).click();
      await page.getByRole('heading', { name: 'It is yours' }).waitFor();
      await look(person, `${size}-yours`);
      assert.match((await page.getByRole('status').textContent()) ?? '', /yours since .*\d\d:\d\d/);

      await page.getByRole('link', { name: 'See the device' }).click();
      await page.getByRole('main').getByRole('link', { name: 'My devices' }).click();
      await look(person, `${size}-my-devices`);
      await page.getByRole('link', { name: 'Give back Thermostat T1' }).click();
      await look(person, `${size}-give-back`);
      await page.getByRole('button', { name: 'Give it back' }).click();
      await page.getByText('You gave “Thermostat T1” back.').waitFor();
    });
  });
}

journey('phone: refusals say what happened and what to do', async () => {
  await openWindow('T2_TEST_TOKEN', 'right');
  await visit(PHONE, async (bob) => {
    const { page } = bob;
    await bob.goto('/login');
    await bob.signInAs('customerB@thingsboard.org');
    const says = async (device: string, key: string, title: string) => {
      const instead = page.getByRole('button', { name: 'Type it instead' });
      if (await instead.isVisible()) await instead.click();
      await page.getByLabel('Device name').fill(device);
      await page.getByLabel('Key', { exact: true }).fill(key);
      await page.getByRole('button', { name: 'Claim', exact: true }).click();
      await page.getByRole('heading', { name: title }).waitFor();
      await look(bob, `phone-${title.toLowerCase().replaceAll(' ', '-')}`);
    };
    await says('Thermostat T2', 'wrong', 'The key is wrong');
    assert.match((await page.getByRole('alert').textContent()) ?? '', 'You have 9 attempts left');
    await says('Test Device A1', 'any', 'It belongs to someone else');
    await says('DHT11 Demo Device', 'any', 'The device is not waiting for you');
    await says('Nobody', 'any', 'There is no such device');
    await says('Thermostat T2', 'right', 'It is yours');
    await bob.goto('/claim');
    await says('Thermostat T2', 'right', 'Thermostat T2');
    await page.getByText('It is yours already. There is nothing left to do.').waitFor();
  });
});

journey('phone: a label is scanned with the camera where the browser can', async () => {
  await visit(
    PHONE,
    async (person) => {
      const { page } = person;
      // Chromium on Linux has no BarcodeDetector: this one reads Chromium's fake camera.
      await page.addInitScript(`globalThis.BarcodeDetector = class {
        async detect(video) {
          return video.videoWidth > 0 ? [{ rawValue: 'https://x.example/claim#device=Scanned&key=from+the+label' }] : [];
        }
      };`);
      await person.goto('/claim');
      await person.signInAs('customerB@thingsboard.org');
      await page.getByRole('button', { name: 'Scan the label' }).click();
      await page.getByText('The label was read.').waitFor();
      await page.getByText('Scanned', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Type it instead' }).click();
      assert.is(await page.getByLabel('Device name').inputValue(), 'Scanned');
      assert.is(await page.getByLabel('Key', { exact: true }).inputValue(), 'from the label');
      await page.getByRole('button', { name: 'Scan the label' }).waitFor();
    },
    { permissions: ['camera'] },
  );
});

journey('phone: without script a customer can sign in and claim', async () => {
  await openWindow('RASPBERRY_PI_DEMO_TOKEN', 'secret');
  const noScript = { javaScriptEnabled: false };
  await visit(
    PHONE,
    async (person) => {
      const { page } = person;
      await person.goto('/claim');
      await person.signInAs('customerB@thingsboard.org');
      await page.getByLabel('Device name').fill('Raspberry Pi Demo Device');
      await page.getByLabel('Key', { exact: true }).fill('secret');
      await page.getByRole('button', { name: 'Claim', exact: true }).click();
      await page.getByRole('heading', { name: 'It is yours' }).waitFor();
    },
    noScript,
  );
});

journey('desk: a window is shown when it opens, counted down, and so is its claim', async () => {
  await visit(DESK, async (person) => {
    const { page } = person;
    await person.goto('/live');
    await person.signInAs('tenant@thingsboard.org');
    await page.getByText('Watching.').waitFor();
    await openWindow('DHT11_DEMO_TOKEN', 'secret');
    // What comes while one looks, above what the trail had before.
    const heard = page.locator('li.fresh').filter({ hasText: 'DHT11 Demo Device' });
    await heard.getByText('Claim window opened').waitFor();
    // The figures follow a moment later.
    await page.getByRole('listitem').getByText('closes in').waitFor();
    const api = restApi(server.url);
    const customer = await api.login('customerB@thingsboard.org', 'customer');
    await api.confirm(customer, 'DHT11 Demo Device', 'a guess');
    await heard.getByText('Claim refused: wrong key').waitFor();
    assert.is((await api.confirm(customer, 'DHT11 Demo Device', 'secret')).status, 200);
    await heard.filter({ hasText: /Claimed$/ }).waitFor();
    await look(person, 'desk-live');
    await api.reclaim(customer, 'DHT11 Demo Device');
    await openWindow('DHT11_DEMO_TOKEN', 'secret');
    await person.goto('/devices?search=DHT11');
    await page.getByText(/^closes in ([89]:\d\d|10:00)$/).waitFor();
    await look(person, 'desk-countdown');
  });
});

journey('desk: ten thousand devices are imported, checked first, and labels are printed', async () => {
  const rows = Array.from({ length: IMPORTED }, (_, at) => `Unit ${String(at).padStart(5, '0')},pump`);
  const csv = ['name,type', ...rows, 'Thermostat T1,thermostat'].join('\n');
  await visit(DESK, async (person) => {
    const { page } = person;
    await person.goto('/devices/import');
    await person.signInAs('tenant@thingsboard.org');
    const file = { name: 'devices.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) };
    await page.getByLabel('CSV file').setInputFiles(file);
    await look(person, 'desk-import');
    const startedAt = Date.now();
    await page.getByRole('button', { name: 'Read the file' }).click();
    await page.getByText('10,001 rows were read').waitFor();
    await look(person, 'desk-import-columns');
    await page.getByRole('button', { name: 'Check the rows' }).click();
    await page.getByRole('heading', { name: 'Checked' }).waitFor();
    const refused = page.getByRole('row', { name: /Thermostat T1/ });
    assert.match((await refused.textContent()) ?? '', 'name already');
    await look(person, 'desk-import-tried');
    await page.getByRole('button', { name: 'Create 10,000 devices' }).click();
    await page.getByRole('heading', { name: 'Done' }).waitFor();
    await look(person, 'desk-import-done');
    remark(
      `10,000 devices with keys tried out and imported in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
    );
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download the result' }).click();
    const chunks: Buffer[] = [];
    for await (const chunk of await (await download).createReadStream()) chunks.push(Buffer.from(chunk));
    const result = Buffer.concat(chunks).toString().trimEnd().split('\r\n');
    assert.is(result.length, IMPORTED + 2);
    const [, link = ''] = /,(http[^,]*#device=Unit%2000000&key=[^,]*),$/.exec(result[1] ?? '') ?? [];
    assert.ok(link, result[1]);

    await person.goto('/devices?search=Unit');
    await page.getByText('10,000 devices found').waitFor();
    for (const name of ['Unit 00000', 'Unit 00001', 'Unit 00002']) {
      await page.getByLabel(`Select ${name}`).check();
    }
    await page.getByRole('button', { name: 'Print labels' }).click();
    await page.getByRole('heading', { name: '3 labels on 1 page' }).waitFor();
    await page.getByLabel('Printed on').selectOption('roll-62x29');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('heading', { name: '3 labels on 3 pages' }).waitFor();
    await look(person, 'desk-labels');
  });
});

journey('desk: all 10,000 labels of an import are printed, and a decoder reads them', async () => {
  await visit(DESK, async (person) => {
    const { page } = person;
    await person.goto('/devices/import');
    await person.signInAs('tenant@thingsboard.org');
    await page.getByRole('listitem').filter({ hasText: '10,001 rows' }).getByRole('link').click();
    await page.getByRole('link', { name: 'Print the labels' }).click();
    await page.getByRole('heading', { name: '10,000 labels on 477 pages' }).waitFor();
    await page.getByLabel('First free label of the sheet').fill('5');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('heading', { name: '10,000 labels on 477 pages' }).waitFor();
    await look(person, 'desk-import-labels');
    const startedAt = Date.now();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download 10,000 labels' }).click();
    const chunks: Buffer[] = [];
    for await (const chunk of await (await download).createReadStream()) chunks.push(Buffer.from(chunk));
    const pdf = Buffer.concat(chunks);
    remark(
      `10,000 labels as a PDF of ${(pdf.length / 1e6).toFixed(1)} MB in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
    );
    const pages = readPdf(pdf);
    assert.is(pages[0]?.codes.length, 17, 'four labels of the first sheet were used before');
    const codes = pages.flatMap((one) => one.codes);
    assert.is(codes.length, IMPORTED);
    for (let nth = 0; nth < codes.length; nth += 499) {
      const code = codes[nth];
      assert.ok(code);
      const device = `Unit ${String(nth).padStart(5, '0')}`;
      assert.match(decoded(code), `/claim#device=${encodeURIComponent(device)}&key=`);
    }
  });
});

journey(
  'desk: a file of another system becomes stickers: columns by guess, rows, labels, codes',
  async () => {
    const csv =
      'id;dev_eui;name;claim_authentication_code\nmeter-1;70B3D57ED0000001;Zähler, Keller;CAC-0001\nmeter-2;70B3D57ED0000002;Ζεστό νερό;CAC-0002\n';
    await visit(DESK, async (person) => {
      const { page } = person;
      await person.goto('/devices/import');
      await person.signInAs('tenant@thingsboard.org');
      const file = { name: 'stack.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) };
      await page.getByLabel('CSV file').setInputFiles(file);
      await page.getByRole('button', { name: 'Read the file' }).click();
      await page.getByText('Nobody reads “dev_eui”').waitFor();
      assert.is(await page.getByLabel('What “id” is').inputValue(), 'name');
      await page.getByLabel('What “dev_eui” is').selectOption('type');
      await look(person, 'desk-import-foreign');
      await page.getByRole('button', { name: 'Check the rows' }).click();
      await page.getByRole('button', { name: 'Create 2 devices' }).click();
      await page.getByRole('link', { name: 'Print the labels' }).click();
      await page.getByLabel('Printed on').selectOption('page-100x50');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByRole('heading', { name: '2 labels on 2 pages' }).waitFor();
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Download 2 labels' }).click();
      const chunks: Buffer[] = [];
      for await (const chunk of await (await download).createReadStream()) chunks.push(Buffer.from(chunk));
      const codes = readPdf(Buffer.concat(chunks)).flatMap((one) => one.codes.map(decoded));
      assert.equal(codes, [
        `${server.url}/claim#device=meter-1&key=CAC-0001`,
        `${server.url}/claim#device=meter-2&key=CAC-0002`,
      ]);
    });
  },
);

/** Links and controls of less than 24 px (WCAG 2.2, 2.5.8), but for those in the line of a text. */
const SMALL = `[...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.skip, .sr'))
  .filter((one) => { const { width, height } = one.getBoundingClientRect(); return width < 24 || height < 24; })
  .filter((one) => ![...one.parentElement.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''))
  .map((one) => location.pathname + ': ' + one.outerHTML.slice(0, 120))`;
/** What is cut off in the head of the page. */
const CUT = `[...document.querySelectorAll('.me a, .brand span')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
  .map((one) => one.outerHTML)`;

journey('phone: whoever is signed in reads the whole address, and can hit every link', async () => {
  const api = restApi(server.url);
  const device = await api.device(await api.login('tenant@thingsboard.org', 'tenant'), 'Test Device A1');
  for (const [email, paths] of Object.entries({
    'customerA@thingsboard.org': [
      '/claim',
      '/my/devices',
      `/my/devices/${device.id.id}`,
      '/offers',
      '/account',
    ],
    'tenant@thingsboard.org': ['/live', '/devices', `/devices/${device.id.id}`, '/kits', '/customers'],
  })) {
    await visit(PHONE, async (person) => {
      await person.goto('/login');
      await person.signInAs(email);
      for (const path of paths) {
        await person.goto(path);
        assert.equal(await person.page.evaluate(SMALL), [], path);
        assert.equal(await person.page.evaluate(CUT), [], path);
      }
    });
  }
});

journey('labels: a long name leaves the key on the label, on every stock', async () => {
  const api = restApi(server.url);
  const admin = await api.login('tenant@thingsboard.org', 'tenant');
  const name = `Circulation pump of the second heating circuit ${'of the annex '.repeat(15)}`.slice(0, 250);
  const made = await api.send('POST', '/api/device', admin, { name: name.trim(), type: 'pump' });
  assert.is(made.status, 200);
  const { id } = await api.device(admin, name.trim());
  const claimingData = { secretKey: 'ABCD-EFGH-JKMN-PQRS', expirationTime: Date.now() + 3_600_000 };
  const path = `/api/plugins/telemetry/DEVICE/${id.id}/attributes/SERVER_SCOPE`;
  assert.is((await api.send('POST', path, admin, { claimingData })).status, 200);
  await visit(DESK, async (person) => {
    await person.goto('/login');
    await person.signInAs('tenant@thingsboard.org');
    for (const stock of ['avery-l7651', 'roll-24x60', 'page-a6']) {
      await person.goto(`/devices/labels?ids=${id.id}&stock=${stock}`);
      await look(person, `desk-long-label-${stock}`);
      // The picture of the page is outlines alone; the file that is printed has the same label, and its text.
      const response = await person.page.request.get(
        `${server.url}/devices/labels.pdf?ids=${id.id}&stock=${stock}`,
      );
      const said = wordsOn(readPdf(await response.body()));
      assert.match(said.join(''), 'ABCD-EFGH-JKMN-PQRS', stock);
    }
    await person.page.getByText('finer than most phones read').waitFor({ state: 'detached' });
  });
});

journey('the check itself finds a missing label, a page too wide, and what the policy forbids', async () => {
  await visit(PHONE, async (person) => {
    await person.goto('/login');
    await person.page.evaluate(`
      document.querySelector('label').remove();
      document.querySelector('main').insertAdjacentHTML('beforeend', '<p><b style="color:red">x</b></p>');
      document.querySelector('.brand').append('x'.repeat(200));`);
    const flaws = (await person.flaws()).join('\n');
    for (const expected of [/^label: /m, /wider than the screen/, /Content Security Policy/]) {
      assert.match(flaws, expected);
    }
  });
});

test.run();
