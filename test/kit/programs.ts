/**
 * Programs that some tests play with: found, or the tests that need them are skipped with a clear word. Where
 * CLAIMD_REQUIRE_PROGRAMS=1 (the check that guards the main branch) a missing program fails instead.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Test } from 'uvu';

/** Debian keeps servers in folders that are not on everybody's PATH. */
const ALSO_IN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The program's full path, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...ALSO_IN].filter(
    (folder) => folder !== '',
  );
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * `test`, or its `skip` when one of the programs is missing (said in one line, which the runner shows).
 *
 *   const withMosquitto = needing(['mosquitto_pub'], test);
 *   withMosquitto('mqtt: …', () => …);
 */
export function needing<Context>(
  programs: readonly string[],
  test: Test<Context>,
): (name: string, run: (context: Context) => Promise<void> | void) => void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return (name, run) => test(name, run);
  const why = `not installed: ${missing.join(', ')}`;
  if (process.env.CLAIMD_REQUIRE_PROGRAMS === '1') {
    return (name) =>
      test(name, () => {
        throw new Error(why);
      });
  }
  return (name) => {
    process.stdout.write(`\n# skipped (${why}): ${name}\n`);
    test.skip(name);
  };
}

/** libcoap's client, under the name that it has on this machine. */
export const COAP_CLIENT =
  ['coap-client', 'coap-client-notls', 'coap-client-openssl', 'coap-client-gnutls'].find(findProgram) ??
  'coap-client-notls';

/** Runs a program to its end, with nothing to read; `out` is what it printed on both channels. */
export function runProgram(
  program: string,
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<{ readonly code: number | null; readonly out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(findProgram(program) ?? program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        out += chunk;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out }));
  });
}
