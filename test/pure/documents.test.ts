/**
 * What the documents name is there: the target of every link, every file, option, topic, route and script. Their code
 * blocks are looked at in `test/processes/documents.test.ts`. What a document says about behaviour is tested where that
 * behaviour is.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_OPTIONS } from '../../config/options/schema.ts';
import { CLAIM_REFUSALS } from '../../http/wire/claim-refusal.ts';
import { ErrorCode } from '../../http/wire/errors.ts';
import { routePublish, SUBSCRIBABLE } from '../../transports/mqtt/topics.ts';
import { anchorsOf, DOCS, FILES, none, PROJECT, ROOMS, read } from '../kit/documents.ts';
import { createRestWorld } from '../kit/rest-client.ts';

/** Bytes that a document may have: beyond that nobody reads it to its end. */
const SIZE_MAX: Readonly<Record<string, number>> = { 'README.md': 8192, 'ARCHITECTURE.md': 10_240 };

test('documents: every link leads to a file that is there, and every anchor to a heading', () => {
  none(
    DOCS.flatMap((doc) => {
      const prose = doc.prose.replace(/`[^`\n]*`/g, '');
      const links = [...prose.matchAll(/\]\(([^)\s]+)\)|<(?:img|a)[^>]*? (?:src|href)="([^"]+)"/g)];
      return links.flatMap(([, inline, html]) => {
        const link = inline ?? html ?? '';
        if (/^(https?|mailto):/.test(link)) return [];
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? doc.path : join(dirname(doc.path), path);
        if (!existsSync(join(PROJECT, target))) return [`${doc.path}: ${link} is not there`];
        if (anchor === undefined || !target.endsWith('.md')) return [];
        return anchorsOf(read(target)).has(anchor) ? [] : [`${doc.path}: ${link} has no such heading`];
      });
    }),
  );
});

test('documents: none is longer than somebody reads', () => {
  none(
    DOCS.flatMap(({ path, text }) => {
      const bytes = Buffer.byteLength(text);
      return bytes > (SIZE_MAX[path] ?? Number.POSITIVE_INFINITY) ? [`${path} has ${bytes} bytes`] : [];
    }),
  );
});

test('documents: a block that is a file of the repository, or a part of one, is in it to the letter', () => {
  const shown = DOCS.flatMap(({ path, blocks }) => blocks.map((block) => ({ ...block, path })));
  const contentOf = (path: string, file: string) => readFileSync(join(PROJECT, dirname(path), file), 'utf8');
  for (const { path, text, sameAs, from } of shown) {
    if (sameAs !== undefined) assert.is(text, contentOf(path, sameAs), `${path} shows ${sameAs}`);
    if (from !== undefined)
      assert.ok(contentOf(path, from).includes(text), `${path} shows a part of ${from}`);
  }
  assert.ok(shown.filter(({ sameAs }) => sameAs !== undefined).length >= 4);
  assert.ok(shown.some(({ from }) => from !== undefined));
});

/** The user's own, which documents speak of and nobody commits. */
const NOT_IN_GIT = ['config/claimd.yml', 'config/docker/cluster.env'];

test('documents: every file that is named is there', () => {
  const known = new Set([...FILES, ...readdirSync(PROJECT), ...NOT_IN_GIT]);
  const rooms = ROOMS.map((room) => room.replace('.', '\\.')).join('|');
  const inARoom = new RegExp(`^(?:dist/)?(?:${rooms})/[\\w./-]*$`);
  none(
    DOCS.flatMap(({ path, named, blocks }) => {
      const compiled = blocks.flatMap(({ text }) => text.match(/\bdist\/[\w./-]+\.js\b/g) ?? []);
      const names = [...named, ...compiled].filter((name) => inARoom.test(name));
      const sources = names.map((name) =>
        name.startsWith('dist/') ? name.slice('dist/'.length).replace(/\.js$/, '.ts') : name,
      );
      return sources
        .filter((name) => !known.has(name.replace(/\/$/, '')))
        .map((name) => `${path}: ${name} is not there`);
    }),
  );
});

test('documents: every option that is named is there', () => {
  const keys = ALL_OPTIONS.flatMap(({ option }) => [option.key, ...(option.aliases ?? [])]);
  const sections = new Set(keys.map((key) => key.split('.')[0]));
  /** Also the beginning of some options, as `transport.rate_limits`. */
  const isOption = (name: string): boolean => keys.some((key) => `${key}.`.startsWith(`${name}.`));
  const looksLikeOne = (name: string): boolean =>
    /^[a-z-]+(\.[\w-]+)+$/.test(name) &&
    sections.has(name.split('.')[0] ?? '') &&
    !/\.(key|yml|ts)$/.test(name);
  none(
    DOCS.flatMap(({ path, named, blocks }) => {
      const flags = blocks.flatMap(({ text }) =>
        [...text.matchAll(/--([a-z]+(?:\.\w+)+)/g)].map(([, key = '']) => key),
      );
      return [...named.filter(looksLikeOne), ...flags]
        .filter((name) => !isOption(name))
        .map((name) => `${path}: ${name} is no option`);
    }),
  );
});

/** In capitals are variables of the environment, and words of the API. */
test('documents: every name in capitals stands in the code', () => {
  const source = FILES.filter((path) => /(\.tsx?|\/run|\.yml|Dockerfile|\.example)$/.test(path))
    .map((path) => readFileSync(join(PROJECT, path), 'utf8'))
    .join('\n');
  none(
    DOCS.flatMap(({ path, named, blocks }) => {
      const scripts = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
      const words = [...named, ...scripts].flatMap(
        (text) => text.match(/\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b/g) ?? [],
      );
      return words.filter((word) => !source.includes(word)).map((word) => `${path}: ${word} is nowhere`);
    }),
  );
});

test('documents: every topic that is named is one', () => {
  const broker = ALL_OPTIONS.filter(({ option }) =>
    /\.broker\.(claim|gateway)_topics$/.test(option.key),
  ).flatMap(({ option }) => ('default' in option ? String(option.default).split(',') : []));
  const isTopic = (name: string): boolean => {
    if (SUBSCRIBABLE.has(name) || routePublish(name).type !== 'unknown') return true;
    const template = name.replace('TOKEN', '{token}').replace(/\/response$/, '');
    return broker.includes(template);
  };
  none(
    DOCS.flatMap(({ path, named }) =>
      named
        .filter((name) => /^(?:TOKEN\/|\{token\}\/)?v[12]\/[\w/+{}-]+$/.test(name) && !isTopic(name))
        .map((name) => `${path}: ${name}`),
    ),
  );
});

test('documents: every route that is named is there', async () => {
  const world = createRestWorld();
  const patterns = [...world.routes.map(({ path }) => path), '/api/v1/:token/claim'].map(
    (path) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`),
  );
  none(
    DOCS.flatMap(({ path, named }) =>
      named.flatMap((name) => {
        const [, route = ''] =
          /^(?:(?:GET|POST|PUT|DELETE) )?(\/(?:api|v3|livez|readyz|swagger-ui)[^\s?]*)/.exec(name) ?? [];
        return route === '' || /[…*]|\/$/.test(route) || patterns.some((pattern) => pattern.test(route))
          ? []
          : [`${path}: ${route}`];
      }),
    ),
  );
  await world.stop();
});

test('documents: every script that is named is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  none(
    DOCS.flatMap(({ path, text }) =>
      [...text.matchAll(/npm (?:run(?: --silent)? )([\w:-]+)/g)]
        .filter(([, script = '']) => !Object.hasOwn(scripts, script))
        .map(([call]) => `${path}: ${call}`),
    ),
  );
});

test('documents: the catalogue of errors in http/README.md is whole', () => {
  const { text } = read('http/README.md');
  for (const code of Object.values(ErrorCode))
    assert.match(text, new RegExp(`\\| ${code} \\|`), `errorCode ${code}`);
  const claiming = text.slice(text.indexOf('\n## Claiming\n'), text.indexOf('\n### Proof of possession\n'));
  for (const refusal of CLAIM_REFUSALS) assert.ok(claiming.includes(`| \`${refusal}\` |`), refusal);
});

test.run();
