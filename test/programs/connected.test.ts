/** A claim with all that people already run around it, in a real browser and read by Debian's Prometheus; and kills in the middle of a thousand. */
import { test } from 'uvu';
import { match } from 'uvu/assert';
import { BROWSER, launchBrowser } from '../kit/browser.ts';
import { LOCAL_ALONE, playConnectedStory, type StoryNeeds } from '../kit/connected-story.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { PROMETHEUS } from '../kit/prometheus.ts';

test.after(cleanUp);

/** All that was told. */
async function played(needs: Omit<StoryNeeds, 'tell'>): Promise<string> {
  const told: string[] = [];
  await playConnectedStory({ ...needs, tell: (line) => told.push(line) });
  return told.join('\n');
}

needing([BROWSER, PROMETHEUS], test)(
  'connected: sign-in, claim, webhook, mail, trace and metrics tell one story, and kills lose none of a thousand claims',
  async () => {
    const browser = await launchBrowser(LOCAL_ALONE);
    try {
      match(await played({ browser, hasPrometheus: true, kills: 1 }), /kill -9, once/);
    } finally {
      await browser.close();
    }
  },
);

test('connected: the demo tells the same where there is neither Chromium nor Prometheus, and says so', async () => {
  const told = await played({ browser: undefined, hasPrometheus: false, kills: 0 });
  match(told, 'There is no Chromium here');
  match(told, 'There is no Prometheus here');
});

test.run();
