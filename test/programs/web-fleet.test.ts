/** The administrator with many devices, in a real browser with a real server: found, selected, changed all at once, undone. */
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { BROWSER, launchBrowser, look as lookAt, Person, visitAs } from '../kit/browser.ts';
import { cleanUp, type ServerProcess, startServer } from '../kit/process.ts';
import { findProgram, needing } from '../kit/programs.ts';
import { until } from '../kit/until.ts';

const remark = (text: string) => process.stdout.write(`\n# ${text}\n`);
const TENANT = 'tenant@thingsboard.org';
const DEVICES = 2_000;
/** All that the page loads, as it comes over the wire. */
const TABLE_BYTES_MAX = 60 * 1024;
const DESK = { width: 1440, height: 900 };
const WIDTHS = [{ width: 360, height: 740 }, { width: 820, height: 1180 }, DESK] as const;

let server: ServerProcess;
let browser: Browser;

test.before(async () => {
  if (findProgram(BROWSER) === undefined) return;
  server = await startServer({ args: ['--demo'] });
  const api = restApi(server.url);
  const admin = await api.login(TENANT, 'tenant');
  const { id } = await api.post<{ readonly id: string }>('/api/deviceImport', admin, {});
  const rows = Array.from({ length: DEVICES }, (_, at) => ({
    name: `Unit ${String(at).padStart(4, '0')}`,
    type: at % 4 === 0 ? 'wall box' : 'pump',
    label: at % 3 === 0 ? 'Hall 7, third row' : '',
  }));
  for (let from = 0; from < DEVICES; from += 1000)
    await api.must('POST', `/api/deviceImport/${id}/rows`, admin, {
      from,
      rows: rows.slice(from, from + 1000),
    });
  await api.must('POST', `/api/deviceImport/${id}/start?dryRun=false`, admin);
  await until(
    'they are imported',
    async () =>
      (await api.get<{ readonly state: string }>(`/api/deviceImport/${id}`, admin)).state === 'DONE',
  );
  browser = await launchBrowser();
});
test.after(async () => {
  await browser?.close();
  await cleanUp();
});

const journey = needing([BROWSER], test);
const look = (person: Person, name: string) => lookAt(person, `fleet-${name}`);

async function visit(
  viewport: (typeof WIDTHS)[number],
  play: (person: Person) => Promise<void>,
  more: Parameters<typeof Person.open>[3] = {},
): Promise<void> {
  const person = await Person.open(browser, server.url, viewport, more);
  await visitAs(person, async () => {
    await person.goto('/login');
    await person.signInAs(TENANT);
    await play(person);
  });
}

/** What has the focus, as it is called. */
const focused = async ({ page }: Person) =>
  String(
    await page.evaluate(
      "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent).trim()",
    ),
  );

/** In pixels, from the edge of the table's card to what is nearest to it in a row. */
const edgeOfRows = async ({ page }: Person) =>
  Number(
    await page.evaluate(`(() => {
      const from = document.querySelector('.fleet').getBoundingClientRect().left;
      const shown = [...document.querySelectorAll('.fleet tbody :is(input, a, bdi, small, .state)')]
        .map((one) => one.getBoundingClientRect())
        .filter(({ width }) => width > 0);
      return Math.min(...shown.map(({ left }) => left - from));
    })()`),
  );

/** Goes on by Tab until something is reached, as somebody without a mouse does. */
async function tabTo(person: Person, name: RegExp): Promise<void> {
  for (let steps = 0; steps < 60; steps += 1) {
    await person.page.keyboard.press('Tab');
    if (name.test(await focused(person))) return;
  }
  throw new Error(`not reached by Tab: ${name}`);
}

journey('keyboard: five hundred are found, assigned by one question, and that is undone', async () => {
  await visit(DESK, async (person) => {
    const { page } = person;
    const { keyboard } = page;
    await person.goto('/devices');
    await tabTo(person, /^Name, description/);
    await keyboard.type('type:"Wall Box"');
    await keyboard.press('Enter');
    await page.getByText('500 devices found').waitFor();
    await tabTo(person, /^Select all 500/);
    await keyboard.press('Space');
    await page.getByText('500 selected').waitFor();
    assert.ok(await page.getByLabel('Select Unit 0000').isChecked());
    await look(person, 'selected');
    await keyboard.press('Enter');
    await until('the first button has the focus', async () => (await focused(person)) === 'Assign…');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: /Assign them to a customer/ }).waitFor();
    await tabTo(person, /^Customer$/);
    await keyboard.type('Customer A');
    await look(person, 'question');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Done', exact: true }).waitFor();
    await look(person, 'result');
    await tabTo(person, /^Undo$/);
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Undone: Assigned' }).waitFor();
    await page.getByRole('heading', { name: 'Done', exact: true }).waitFor();
    await tabTo(person, /^Back to the devices$/);
    await keyboard.press('Enter');
    await page.getByText('500 devices found').waitFor();
    assert.ok(await page.getByLabel('Select all 500').isChecked(), 'it is selected still');
    const unclaimed = page.getByText('Unclaimed', { exact: true });
    await until('fifty rows and a chip are there', async () => (await unclaimed.count()) === 51);
  });
});

journey('components: all of them, in both themes on one page', async () => {
  await visit(DESK, async (person) => {
    await person.goto('/ui');
    await look(person, 'components');
  });
});

journey('boxes: some, the page, all; the bar is there while something is selected', async () => {
  await visit(DESK, async (person) => {
    const { page } = person;
    await person.goto('/devices?search=Unit');
    const bar = page.getByRole('group', { name: 'With the selected devices' });
    const selected = (how: string) => page.getByText(`${how} selected`, { exact: true }).waitFor();
    assert.not.ok(await bar.isVisible());
    await page.getByLabel('Select Unit 0003').check();
    await selected('1');
    assert.ok(await bar.isVisible());
    await page.getByText('Select this page').click();
    await selected('50');
    await page.getByLabel('Select all 2,000').check();
    await selected('2,000');
    await page.getByLabel('Select Unit 0003').uncheck();
    await selected('49');
    assert.not.ok(await page.getByLabel('Select all 2,000').isChecked(), 'not all of them any more');
    await page.getByText('Select this page').click();
    await page.getByText('Select none').click();
    assert.not.ok(await bar.isVisible());
  });
});

journey('without script: the page is selected by a link, and all by a box', async () => {
  await visit(
    DESK,
    async (person) => {
      const { page } = person;
      await person.goto('/devices?search=type:pump');
      await page.getByRole('link', { name: 'Select this page' }).click();
      await page.getByRole('button', { name: 'Forbid…' }).click();
      await page.getByText('50 devices', { exact: true }).waitFor();
      await page.getByRole('link', { name: 'Do nothing' }).click();
      const checked = page.locator('input[name=id]:checked');
      await until('they are selected still', async () => (await checked.count()) === 50);
      await page.getByLabel('Select all 1,500').check();
      await page.getByRole('button', { name: 'Forbid…' }).click();
      await page.getByRole('button', { name: 'Forbid claiming: 1,500 devices' }).click();
      await page.getByRole('heading', { name: 'Done', exact: true }).waitFor();
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByRole('heading', { name: 'Done', exact: true }).waitFor();
    },
    { javaScriptEnabled: false },
  );
});

for (const viewport of WIDTHS) {
  for (const colorScheme of ['light', 'dark'] as const) {
    const name = `${viewport.width}-${colorScheme}`;
    journey(`looks: the table at ${viewport.width} px, ${colorScheme}`, async () => {
      await visit(
        viewport,
        async (person) => {
          const { page } = person;
          await person.goto('/devices?search=Unit');
          await page.getByText('Select this page').waitFor();
          await look(person, `table-${name}`);
          assert.ok((await edgeOfRows(person)) >= 8, 'a row does not touch the edge of its card');
          const { gzipped } = await person.loaded();
          assert.ok(gzipped <= TABLE_BYTES_MAX, `${gzipped} bytes`);
          if (name === '1440-light')
            remark(
              `the table of fifty devices is ${gzipped} bytes, beside the stylesheet that the page before had loaded`,
            );
          await page.getByLabel('Select Unit 0001').check();
          await page.getByText('1 selected').waitFor();
          await page.evaluate('scrollTo(0, 700)');
          await person.screenshot(`fleet-bar-${name}`);
          // A row that the bar or the heading covers by half comes out from under it by scrolling.
          const flaws = await person.flaws();
          assert.equal(
            flaws.filter((flaw) => !flaw.includes('partially obscured')),
            [],
          );
        },
        { colorScheme },
      );
    });
  }
}

test.run();
