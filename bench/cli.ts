/**
 * The command line of the bench, as `npm run bench --` in this project and as `claimbench` by itself.
 *
 * Exit codes: 0 good; 1 a wrong answer of the server, or a comparison past its threshold; 2 misuse.
 */
import { cleanUp } from '../test/kit/process.ts';
import type { Scenario } from './bench.ts';
import { compareCommand, reportCommand } from './commands.ts';
import type { Result } from './contract.ts';
import { helpText, listText } from './help.ts';
import { parseRun, type RunOptions } from './options.ts';
import type { Program } from './program.ts';
import { liveOn, silent } from './report/live.ts';
import { table } from './report/table.ts';
import { clear, LAST, Misuse, pathOf, write } from './results.ts';
import { runOnce } from './run.ts';
import { SCENARIOS } from './scenarios/all.ts';

const FAILED = 1;
const MISUSE = 2;
const LINGER_MS = 1_000;

const say = (text: string): void => {
  process.stdout.write(text);
};

async function main(args: readonly string[], program: Program): Promise<number> {
  const [command] = args;
  if (command === undefined || args.includes('--help') || args.includes('-h') || command === 'help') {
    say(helpText(program));
    return command === undefined ? MISUSE : 0;
  }
  switch (command) {
    case 'list':
      say(listText());
      return 0;
    case 'compare':
      return compareCommand(args.slice(1), say);
    case 'report':
      return reportCommand(args.slice(1), say);
    case 'micro':
      if (program.micro !== undefined) return program.micro(args.slice(1), say);
      throw new Misuse(`${program.name} has no parts of a server to measure`);
    default: {
      const firstOption = args.findIndex((arg) => arg.startsWith('-'));
      const names = firstOption === -1 ? args : args.slice(0, firstOption);
      const options = parseRun(firstOption === -1 ? [] : args.slice(firstOption));
      if (program.micro === undefined && options.settings.target === undefined)
        throw new Misuse(`${program.name} measures a running server: --target HOST:PORT`);
      return runScenarios(scenariosOf(names, options), options);
    }
  }
}

function scenariosOf(names: readonly string[], { settings }: RunOptions): readonly Scenario[] {
  const all = names.includes('all');
  const chosen = all
    ? SCENARIOS
    : names.map((name) => {
        const scenario = SCENARIOS.find((one) => one.name === name);
        if (scenario === undefined) throw new Misuse(`there is no scenario ${name}; \`list\` lists them`);
        return scenario;
      });
  for (const scenario of chosen) {
    const rated = settings.rate !== undefined || settings.findMax !== undefined;
    if (rated && !scenario.rated) throw new Misuse(`${scenario.name} has no rate to set`);
  }
  const possible = chosen.filter((scenario) => {
    const why = scenario.refuses?.(settings);
    if (why !== undefined && !all) throw new Misuse(`${scenario.name} ${why}`);
    if (why !== undefined) say(`${scenario.name}: left out, it ${why}\n`);
    return why === undefined;
  });
  return possible;
}

async function runScenarios(scenarios: readonly Scenario[], options: RunOptions): Promise<number> {
  const path = pathOf(options.label);
  if (options.label === LAST) clear(path);
  let failed = false;
  for (const scenario of scenarios) {
    const results: Result[] = [];
    for (let repetition = 1; repetition <= options.settings.repeat; repetition += 1) {
      const prefix = options.settings.repeat === 1 ? scenario.name : `${scenario.name} #${repetition}`;
      const live = process.stderr.isTTY ? liveOn(process.stderr, prefix) : silent;
      const result = await runOnce(scenario, options, repetition, live);
      write(path, result);
      results.push(result);
      failed ||= result.failures.length > 0;
      if (options.json) say(`${JSON.stringify(result)}\n`);
    }
    if (!options.json) say(`${table(results)}\n`);
  }
  if (!options.json) say(`results: ${path}\n`);
  return failed ? FAILED : 0;
}

/** Runs a command to its end, and ends the process with its exit code. */
export async function runProgram(program: Program): Promise<void> {
  // Ended by a signal, it leaves neither servers nor their data behind: folders are removed when the process exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void cleanUp().finally(() => process.exit(FAILED)));
  process.exitCode = await ended(program);
  // After a fault, open handles must not keep the bench running.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

async function ended(program: Program): Promise<number> {
  try {
    return await main(process.argv.slice(2), program);
  } catch (error) {
    const misuse = error instanceof Misuse;
    const message = error instanceof Error ? (misuse ? error.message : error.stack) : error;
    process.stderr.write(`${message}\n`);
    return misuse ? MISUSE : FAILED;
  } finally {
    await cleanUp();
  }
}
