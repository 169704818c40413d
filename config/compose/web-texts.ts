/** Reads the operator's own texts for the pages: a folder with a file for each language, such as `de.json`. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { isJsonObject, parsedJson } from '../../actors/base/json.ts';
import { faultsIn } from '../../actors/texts/faults.ts';
import { ALL_LANGUAGES, type Language } from '../../actors/texts/languages.ts';
import { ENGLISH } from '../../http/web/texts/catalogues.ts';
import type { Overlays } from '../../http/web/texts/overlay.ts';
import { StartRefused } from './refusal.ts';

const FAULTS_TOLD = 10;

/**
 * Throws `StartRefused` that names file and text where something is wrong: half of an operator's words would be worse than a
 * server that does not start.
 */
export function readTexts(folder: string): Overlays {
  const files = filesOf(folder).filter((name) => extname(name) === '.json');
  if (files.length === 0)
    throw new StartRefused(`there is no text in ${folder} (web.texts), such as de.json`);
  return Object.fromEntries(files.map((name) => textsOf(join(folder, name), name.slice(0, -'.json'.length))));
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new StartRefused(`the texts (web.texts) cannot be read: ${wordsOf(error)}`);
  }
}

function textsOf(file: string, name: string): readonly [Language, Record<string, string>] {
  const language = ALL_LANGUAGES.find((one) => one === name);
  if (language === undefined) {
    throw new StartRefused(
      `${file} (web.texts) is for no language of the pages: ${ALL_LANGUAGES.join(', ')}`,
    );
  }
  let content: unknown;
  try {
    content = parsedJson(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new StartRefused(`the texts (web.texts) cannot be read: ${wordsOf(error)}`);
  }
  if (!isJsonObject(content)) throw new StartRefused(`${file} (web.texts) is not a JSON object of texts`);
  const entries = Object.entries(content);
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const faults = [
    ...entries.filter(([, text]) => typeof text !== 'string').map(([key]) => `${key}: not a text`),
    ...faultsIn(language, Object.fromEntries(texts), ENGLISH),
  ];
  if (faults.length > 0) {
    const more = faults.length > FAULTS_TOLD ? [`and ${faults.length - FAULTS_TOLD} more`] : [];
    throw new StartRefused(
      `${file} (web.texts) has faults: ${[...faults.slice(0, FAULTS_TOLD), ...more].join('; ')}`,
    );
  }
  return [language, Object.fromEntries(texts)];
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
