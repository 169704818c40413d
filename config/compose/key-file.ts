/**
 * Keys that the server makes for itself: drawn once, kept in a file that only its owner may read.
 *
 * The file appears whole or not at all. The key is written and flushed under another name and then linked to its
 * real one, which fails when somebody was faster; then theirs is the key. A crash at any point leaves either no key
 * (a new one is drawn, nothing was made with the old one yet) or the whole of it.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** @returns the key in the file, made first when there is none. Throws when the file holds something else. */
export function keyFromFile(path: string, bytes: number): Buffer {
  return readKey(path, bytes) ?? makeKey(path, bytes);
}

function readKey(path: string, bytes: number): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
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
  rmSync(draft, { force: true }); // of a process with our id that crashed here
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
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return keyFromFile(path, bytes);
  } finally {
    rmSync(draft, { force: true });
  }
  flushFolder(dirname(path));
  return key;
}

/** A new name is durable when its folder is. */
export function flushFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
