/**
 * The process: arguments, settings, signals, exit codes.
 *
 *   0   ended as asked
 *   1   a fault: a bug, or a store that failed
 *   2   asked for something that can not be: an unknown flag, a bad option
 *   3   a start that was refused: a port or the data folder is taken
 *
 * What is meant for a person (problems, the first password) goes to standard error as plain lines; standard output
 * carries nothing but the log.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../actors/base/clock.ts';
import { ListenError } from '../../actors/sockets/listen.ts';
import { createLog, type ProcessLog } from '../compose/log.ts';
import { type System, startSystem } from '../compose/system.ts';
import { parseArguments } from '../options/cli.ts';
import { exampleFile, helpText } from '../options/docs.ts';
import { type Loaded, loadConfig, type Sources } from '../options/load.ts';
import { StartRefused } from '../options/refusal.ts';
import type { Config } from '../options/schema.ts';
import { CLOSING_MS, endAtOnce, FAULT, MISUSE, REFUSED, SAME_SIGNAL_MS, tell } from './exit.ts';
import { createWorkerBus, processChannel } from './worker-bus.ts';
import { supervise, workerNumber, workerReady } from './workers.ts';

const DEFAULT_FILE = join('config', 'claimd.yml');

async function main(): Promise<void> {
  const command = parseArguments(process.argv.slice(2));
  switch (command.type) {
    case 'help':
      process.stdout.write(helpText());
      return;
    case 'version':
      process.stdout.write(`claimd ${version()}\n`);
      return;
    case 'print-config':
      process.stdout.write(exampleFile());
      return;
    case 'misuse':
      return giveUp(command.problems);
    case 'serve': {
      const loaded = load(command.configFile, command.flags);
      if (loaded.type === 'problems') return giveUp(loaded.problems);
      const worker = workerNumber();
      if (worker === undefined) for (const warning of loaded.warnings) tell(`claimd: ${warning}`);
      return serve(loaded.config, worker);
    }
    default:
      command satisfies never;
  }
}

function giveUp(problems: readonly string[]): void {
  tell(
    `claimd does not start: ${problems.length === 1 ? 'one thing is' : `${problems.length} things are`} wrong.`,
  );
  for (const problem of problems) tell(`  - ${problem}`);
  process.exitCode = MISUSE;
}

function load(configFile: string | undefined, flags: Sources['flags']): Loaded {
  const name = configFile ?? DEFAULT_FILE;
  let text: string | undefined;
  try {
    text = readFileSync(name, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (configFile !== undefined || !missing) {
      const why = missing ? 'there is no such file' : error instanceof Error ? error.message : String(error);
      return { type: 'problems', problems: [`the config file ${name} can not be read: ${why}`] };
    }
  }
  return loadConfig({ env: process.env, flags, ...(text === undefined ? {} : { file: { name, text } }) });
}

/** @param worker the number of the worker that this process is, if it is one */
async function serve(config: Config, worker: number | undefined): Promise<void> {
  const log = createLog(config.system.logLevel, worker === undefined ? {} : { worker });
  endOnFault(log);
  if (worker === undefined && config.system.workers > 1) {
    return supervise(config, log, { version: version() });
  }
  const startedAt = Date.now();
  const starting = startSystem(config, {
    clock: systemClock,
    log,
    announce: tell,
    ...(worker === undefined ? {} : { worker: { number: worker, bus: createWorkerBus(processChannel()) } }),
  });
  endOnSignal(starting, config.system.drainMs, log);
  reloadOnSignal(starting, log);
  try {
    const { addresses, core } = await starting;
    log.info(
      { ...addresses, store: core.store.name, version: version(), startMs: Date.now() - startedAt },
      worker === undefined ? 'ready' : 'worker ready',
    );
    if (worker !== undefined) workerReady(addresses);
  } catch (error) {
    const refused = error instanceof StartRefused || error instanceof ListenError;
    if (refused) tell(`claimd does not start: ${error.message}`);
    else log.error({ err: error }, 'the start failed');
    log.flush();
    process.exit(refused ? REFUSED : FAULT);
  }
}

/** SIGHUP has certificates read again, once they were read at all; where they are not good, the old ones go on. */
function reloadOnSignal(starting: Promise<System>, log: ProcessLog): void {
  const reload = (system: System): void => {
    try {
      system.reloadCertificates();
      log.info({}, 'certificates were read again');
    } catch (error) {
      if (!(error instanceof StartRefused)) throw error;
      log.error({ problem: error.message }, 'the certificates can not be used; the old ones go on');
    }
  };
  // A start that fails ends the process, which needs no certificates then.
  process.on('SIGHUP', () => void starting.then(reload, () => {}));
}

/** The first SIGTERM or SIGINT drains and ends; a second one ends at once. */
function endOnSignal(starting: Promise<System>, drainMs: number, log: ProcessLog): void {
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      log.info({ signal }, 'stopping: what is under way will be answered');
      void endInPeace(starting, drainMs, log);
    } else if (Date.now() - firstAt > SAME_SIGNAL_MS) {
      log.lastError({ signal }, 'ending at once');
      endAtOnce();
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

async function endInPeace(starting: Promise<System>, drainMs: number, log: ProcessLog): Promise<void> {
  const startedAt = Date.now();
  setTimeout(() => {
    log.lastError({ drainMs }, 'stopping took too long');
    endAtOnce();
  }, drainMs + CLOSING_MS).unref();
  const system = await starting; // half a system can not be drained; `serve` ends the process when it rejects
  await system.stop();
  log.info({ stopMs: Date.now() - startedAt }, 'stopped');
  log.flush();
  process.exit(0);
}

/** A bug: nothing is known about the state of this process any more, so it ends. The journal is whole by design. */
function endOnFault(log: ProcessLog): void {
  process.on('uncaughtException', (error) => endWith(error, log)); // hears of unhandled rejections too
}

function endWith(error: unknown, log: ProcessLog): never {
  log.lastError({ err: error }, 'a fault that nobody expected: the process ends');
  endAtOnce();
}

function version(): string {
  const file = fileURLToPath(new URL('../../../package.json', import.meta.url));
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

await main();
