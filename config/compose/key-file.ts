/**
 * A generated key in a file that only its owner may read.
 *
 * The file appears whole or not at all: the key is written and flushed under another name and then linked to its own.
 * Linking fails if another process was first; then its key is used. A crash leaves the whole key or none, and nothing
 * was made with a key that is lost.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../../actors/base/error-code.ts';

/** @returns the key in the file, which is made if it is missing. Throws if the file contains no key. */
export function keyFromFile(path: string, bytes: number): Buffer {
  return readKey(path, bytes) ?? makeKey(path, bytes);
}

function readKey(path: string, bytes: number): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length < bytes)
    throw new Error(`${path} holds no key of ${bytes} bytes in base64: restore it from a back-up`);
  return key;
}

function makeKey(path: string, bytes: number): Buffer {
  const key = randomBytes(bytes);
  const draft = `${path}.${process.pid}.tmp`;
  rmSync(draft, { force: true }); // left by a crashed process with the same id
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, `${key.toString('base64')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return keyFromFile(path, bytes);
  } finally {
    rmSync(draft, { force: true });
  }
  flushFolder(dirname(path));
  return key;
}

/** A new file name is durable once its folder is flushed. */
export function flushFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
