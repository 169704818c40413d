/** The second part of `npm run demo`: a claim with all that people already run around it. */
import { BROWSER, launchBrowser } from './browser.ts';
import { cleanUp } from './process.ts';
import { findProgram } from './programs.ts';
import { PROMETHEUS } from './prometheus.ts';

// What the identity provider says of itself, already when it is imported: that it is for trying out.
Object.assign(console, { info() {}, warn() {} });
const { LOCAL_ALONE, playConnectedStory } = await import('./connected-story.ts');

const browser = findProgram(BROWSER) === undefined ? undefined : await launchBrowser(LOCAL_ALONE);
let number = 0;
process.stdout.write('\nThe second part: sign-in from elsewhere, events out, mail, metrics, a trace.\n');
try {
  await playConnectedStory({
    browser,
    hasPrometheus: findProgram(PROMETHEUS) !== undefined,
    kills: 1,
    tell(line) {
      number += 1;
      process.stdout.write(`${String(number).padStart(2)}. ${line}\n`);
    },
  });
  process.stdout.write('The second part of the demo went as it should.\n');
} catch (error) {
  process.stderr.write(`The demo failed. ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  await cleanUp();
}
