/**
 * The process: arguments, settings, signals. `exit.ts` has the exit codes.
 *
 * Standard output carries only the log. Lines for a person (problems, the first password) go to standard error.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../actors/base/clock.ts';
import { codeOf } from '../../actors/base/error-code.ts';
import { silentLog } from '../../actors/base/log.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { ListenError } from '../../actors/sockets/listen.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { backUp } from '../compose/backup.ts';
import { dropSecondFactor } from '../compose/drop-second-factor.ts';
import { createLog, type ProcessLog } from '../compose/log.ts';
import { StartRefused } from '../compose/refusal.ts';
import { storeKind } from '../compose/store.ts';
import { type System, startSystem } from '../compose/system.ts';
import { verifyTrails } from '../compose/verify.ts';
import { createMeters, type Meters } from '../metrics/meters.ts';
import { parseArguments } from '../options/cli.ts';
import { exampleFile, helpText } from '../options/docs.ts';
import { fromStandardInput, type Loaded, loadConfig, type Sources } from '../options/load.ts';
import { memoryOfProcess } from '../options/memory.ts';
import type { Config } from '../options/schema.ts';
import { CLOSING_MS, endAtOnce, FAULT, MISUSE, printLine, REFUSED, SAME_SIGNAL_MS } from './exit.ts';
import { tellEndedConnections } from './spread.ts';
import { createWorkerBus, processChannel } from './worker-bus.ts';
import { tellSupervisor } from './worker-figures.ts';
import { heedSupervisor } from './worker-states.ts';
import { endWithSupervisor, supervise, workerNumber, workerReady } from './workers.ts';

const STANDARD_INPUT = 0;
const DEFAULT_FILE = join('config', 'claimd.yml');

async function main(): Promise<void> {
  // Else a full disk, a terminal that is gone or a reader that has seen enough would be a bug of ours.
  process.stderr.on('error', () => {});
  process.stdout.on('error', tellUnwritten);
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
      const loaded = await load(command.configFile, command.flags);
      if (loaded.type === 'problems') return giveUp(loaded.problems);
      const worker = workerNumber();
      if (worker === undefined) for (const warning of loaded.warnings) printLine(`claimd: ${warning}`);
      return serve(loaded, worker);
    }
    case 'backup': {
      const loaded = await load(command.configFile, command.flags);
      if (loaded.type === 'problems') return giveUp(loaded.problems);
      return makeBackup(loaded.config, command.folder);
    }
    case 'verify': {
      const loaded = await load(command.configFile, command.flags);
      if (loaded.type === 'problems') return giveUp(loaded.problems);
      return verify(loaded.config, command.heads);
    }
    case 'drop-second-factor': {
      const loaded = await load(command.configFile, command.flags);
      if (loaded.type === 'problems') return giveUp(loaded.problems);
      return dropFactor(loaded.config, command.email);
    }
    default:
      unreachable(command);
  }
}

/** Of what a command prints; the log has its own way. */
function tellUnwritten(error: Error): void {
  if (codeOf(error) === 'EPIPE') return; // as of `| head`
  printLine(`claimd: standard output cannot be written: ${error.message}`);
  process.exitCode ??= REFUSED;
}

function giveUp(problems: readonly string[]): void {
  printLine(
    `claimd does not start: ${problems.length === 1 ? 'one thing is' : `${problems.length} things are`} wrong.`,
  );
  for (const problem of problems) printLine(`  - ${problem}`);
  process.exitCode = MISUSE;
}

async function load(configFile: string | undefined, flags: Sources['flags']): Promise<Loaded> {
  const name = configFile ?? DEFAULT_FILE;
  let text: string | undefined;
  try {
    text = readFileSync(name, 'utf8');
  } catch (error) {
    const missing = codeOf(error) === 'ENOENT';
    if (configFile !== undefined || !missing) {
      const why = missing ? 'there is no such file' : error instanceof Error ? error.message : String(error);
      return { type: 'problems', problems: [`the config file ${name} cannot be read: ${why}`] };
    }
  }
  const fromInput = fromStandardInput(process.env, () => readFileSync(STANDARD_INPUT, 'utf8'));
  Object.assign(process.env, fromInput);
  const given = { env: process.env, flags, memory: memoryOfProcess() };
  if (text === undefined) return loadConfig(given);
  const { parseDocument } = await import('yaml');
  return loadConfig({ ...given, file: { name, text, parseDocument } });
}

async function makeBackup(config: Config, target: string): Promise<void> {
  try {
    const { folder, bytes, keysElsewhere } = await backUp(config, target);
    printLine(`claimd: the backup is in ${folder} (database of ${bytes} bytes)`);
    for (const key of keysElsewhere) {
      printLine(`claimd: ${key} is not in it, as the settings give that key: keep it too`);
    }
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    printLine(`claimd makes no backup: ${error.message}`);
    process.exitCode = REFUSED;
  }
}

/** The heads go to standard output, so that they can be kept; what is wrong goes to standard error. */
async function verify(config: Config, file: string | undefined): Promise<void> {
  try {
    const { heads, notes, problems } = await verifyTrails(config, file, silentLog);
    for (const head of heads) process.stdout.write(`${head}\n`);
    for (const told of [...notes, ...problems]) printLine(`claimd: ${told}`);
    if (problems.length > 0) process.exitCode = FAULT;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    printLine(`claimd verifies nothing: ${error.message}`);
    process.exitCode = REFUSED;
  }
}

/** Also a store that goes away in the middle. */
const isRefusal = (error: unknown): error is StartRefused | StoreUnavailable =>
  error instanceof StartRefused || error instanceof StoreUnavailable;

const logOf = ({ system }: Config) => ({ level: system.logLevel, format: system.logFormat });

async function dropFactor(config: Config, email: string): Promise<void> {
  const log = createLog(logOf(config));
  try {
    const dropped = await dropSecondFactor(config, email, systemClock, log);
    printLine(
      dropped
        ? `claimd: ${email} has no second factor any more, and logs in with the password alone, or sets up another one where one is required`
        : `claimd: ${email} has no second factor: there is nothing to take away`,
    );
  } catch (error) {
    if (!isRefusal(error)) throw error;
    printLine(`claimd takes no second factor away: ${error.message}`);
    process.exitCode = REFUSED;
  } finally {
    log.flush();
  }
}

/**
 * Standard output carries the log, one JSON object in each line. What libraries print there (a `console.log` of nact or Hono,
 * of a thread too) goes to standard error, where Node and the native libraries print; the log writes by its descriptor.
 */
function keepOutputForLog(): void {
  process.stdout.write = process.stderr.write.bind(process.stderr);
}

type Settled = Extract<Loaded, { type: 'config' }>;

/** @param worker the number of this worker; undefined: not a worker */
async function serve({ config, shown }: Settled, worker: number | undefined): Promise<void> {
  keepOutputForLog();
  const log = createLog(logOf(config), worker === undefined ? {} : { worker });
  endOnFault(log);
  if (worker === undefined && config.system.workers > 1) {
    return supervise(config, log, { version: version(), residentsMax: config.devices.residentsMax });
  }
  const startedAt = performance.now();
  const meters = metersOf(config);
  if (worker !== undefined) endWithSupervisor();
  if (worker !== undefined) tellEndedConnections();
  if (worker !== undefined && meters !== undefined) tellSupervisor(meters);
  const starting = startSystem(config, {
    clock: systemClock,
    log,
    announce: printLine,
    shown,
    ...(meters === undefined ? {} : { meters }),
    ...(worker === undefined
      ? {}
      : {
          worker: { number: worker, bus: createWorkerBus(processChannel()), states: heedSupervisor(worker) },
        }),
  });
  endOnSignal(starting, config.system.drainMs, log);
  reloadOnSignal(starting, log);
  try {
    const { addresses, core } = await starting;
    log.info(
      {
        ...addresses,
        store: core.store.name,
        version: version(),
        residentsMax: config.devices.residentsMax,
        startMs: Math.round(performance.now() - startedAt),
      },
      worker === undefined ? 'ready' : 'worker ready',
    );
    if (worker !== undefined) workerReady(addresses);
  } catch (error) {
    const refused = error instanceof StartRefused || error instanceof ListenError;
    if (refused) printLine(`claimd does not start: ${error.message}`);
    else log.error({ err: error }, 'the start failed');
    log.flush();
    process.exit(refused ? REFUSED : FAULT);
  }
}

function metersOf({ metrics, store }: Config): Meters | undefined {
  return metrics.enabled ? createMeters({ version: version(), store: storeKind(store.url) }) : undefined;
}

/** On SIGHUP, reads the certificates again. If they cannot be used, the old ones stay in use. */
function reloadOnSignal(starting: Promise<System>, log: ProcessLog): void {
  const reload = (system: System): void => {
    try {
      system.reloadCertificates();
      log.info({}, 'certificates were read again');
    } catch (error) {
      if (!(error instanceof StartRefused)) throw error;
      log.error({ problem: error.message }, 'the certificates cannot be used; the old ones stay in use');
    }
  };
  // A failed start ends the process, so its rejection is of no interest here.
  process.on('SIGHUP', () => void starting.then(reload, () => {}));
}

/** The first SIGTERM or SIGINT drains and ends the process; a second one ends it at once. */
function endOnSignal(starting: Promise<System>, drainMs: number, log: ProcessLog): void {
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      log.info({ signal }, 'stopping: requests in flight will be answered');
      void drainAndEnd(starting, drainMs, log);
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
      log.lastError({ signal }, 'ending at once');
      endAtOnce();
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

async function drainAndEnd(starting: Promise<System>, drainMs: number, log: ProcessLog): Promise<void> {
  const startedAt = performance.now();
  setTimeout(() => {
    log.lastError({ drainMs }, 'stopping took too long');
    endAtOnce();
  }, drainMs + CLOSING_MS).unref();
  const system = await starting; // if it rejects, `serve` ends the process
  await system.stop();
  log.info({ stopMs: Math.round(performance.now() - startedAt) }, 'stopped');
  log.flush();
  process.exit(0);
}

/** After a bug nothing is known about the state of this process, so it ends. The journal is whole by design. */
function endOnFault(log: ProcessLog): void {
  process.on('uncaughtException', (error) => endWith(error, log)); // also called for unhandled rejections
}

function endWith(error: unknown, log: ProcessLog): never {
  log.lastError({ err: error }, 'an unexpected fault: the process ends');
  endAtOnce();
}

function version(): string {
  const file = fileURLToPath(new URL('../../../package.json', import.meta.url));
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

await main();
