/** The simulation finds the mistakes it is there to find: each planted bug, within a few seeds, by the right law. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PLANTS, type Plant } from './plants.ts';
import { describe, replayCommand, tell } from './report.ts';
import { runSeed } from './run.ts';

/** Far more than any of them takes. */
const SEEDS_MAX = 300;

/** A law that the bug breaks in plain sight. Others may be broken along the way. */
const BROKEN: { readonly [Bug in Plant]: { readonly law: string; readonly words: RegExp } } = {
  resume: { law: 'ownership', words: /a second owner/ },
  'no-expiry': { law: 'expiry', words: /ms after its window's end/ },
  'early-reply': { law: 'acknowledged', words: /was accepted .* but no event in the log is its effect/ },
  'stale-refusal': { law: 'refusals', words: /was refused as .*, which was not so at any moment/ },
  unconditional: { law: 'ownership', words: /a second owner/ },
  'kit-outlives': { law: 'linearizable', words: /./ },
  'gateway-outlives': { law: 'linearizable', words: /./ },
  'old-epoch': { law: 'epochs', words: /asked for another epoch than/ },
  'late-opens': { law: 'expiry', words: /a late message opened a window in place of one that came after/ },
  'offer-twice': { law: 'epochs', words: /an offer that ended, or that was accepted before/ },
  'offer-outlives': { law: 'epochs', words: /an offer that ended, or that was accepted before/ },
  'late-consent': { law: 'epochs', words: /a consent to another epoch/ },
  'given-apart': { law: 'linearizable', words: /./ },
  'given-outlives': { law: 'linearizable', words: /./ },
  'challenge-twice': { law: 'expiry', words: /a proof of a challenge that was not open/ },
  'lost-rotation': { law: 'refusals', words: /was refused as/ },
  'take-over-outlives': { law: 'linearizable', words: /./ },
  'deaf-to-objections': { law: 'take-overs', words: /a take-over by .* that was not pending/ },
  'reset-forgotten': { law: 'take-overs', words: /a reset again/ },
  'reset-unlimited': { law: 'take-overs', words: /a reset again/ },
  'no-alarm': { law: 'settled', words: /its window elapsed at .* and was never closed/ },
};

for (const bug of Object.keys(PLANTS) as Plant[]) {
  test(`sim: the planted bug is found: ${bug}: ${PLANTS[bug]}`, async () => {
    const { law, words } = BROKEN[bug];
    let firstSeed: number | undefined;
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { violations } = await runSeed(seed, bug);
      if (violations.length > 0) firstSeed ??= seed;
      const plain = violations.find((violation) => violation.law === law && words.test(violation.text));
      if (plain === undefined) continue;
      tell(
        `\n# ${bug}: first found by seed ${firstSeed}, in plain sight by seed ${seed}: ${describe(plain)}`,
      );
      return;
    }
    assert.unreachable(
      `${SEEDS_MAX} seeds do not show it as ${law}; first found by ${firstSeed ?? 'none'}: ${replayCommand(firstSeed ?? 1, bug)}`,
    );
  });
}

test.run();
