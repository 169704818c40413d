/** The command line, and that the documents about options match the schema. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDocument } from 'yaml';
import { parseArguments } from '../../config/options/cli.ts';
import { exampleFile, helpText, optionTable } from '../../config/options/docs.ts';
import { loadConfig } from '../../config/options/load.ts';
import { followsMemory, isSecret } from '../../config/options/option.ts';
import { ALL_OPTIONS } from '../../config/options/schema.ts';

/** The project's folder, relative to the compiled test. */
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

const cli = suite('config: command line');

cli('no arguments: serve', () => {
  assert.equal(parseArguments([]), { type: 'serve', configFile: undefined, flags: [] });
});

cli('options in both spellings, in order', () => {
  assert.equal(parseArguments(['--server.port=1', '--config', 'a.yml', '--server.port', '2', '--demo']), {
    type: 'serve',
    configFile: 'a.yml',
    flags: [
      { key: 'server.port', value: '1' },
      { key: 'server.port', value: '2' },
      { key: 'install.load_demo', value: 'true' },
    ],
  });
});

cli('a value may hold an equals sign', () => {
  const command = parseArguments(['--security.jwt.tokenIssuer=a=b']);
  assert.equal(command.type === 'serve' && command.flags, [
    { key: 'security.jwt.tokenIssuer', value: 'a=b' },
  ]);
});

cli('help, version and print-config; help works beside a mistake too', () => {
  assert.equal(parseArguments(['-h']), { type: 'help' });
  assert.equal(parseArguments(['--version']), { type: 'version' });
  assert.equal(parseArguments(['--print-config']), { type: 'print-config' });
  assert.equal(parseArguments(['--wat', '--help']), { type: 'help' });
});

cli('backup takes one folder, and options as the server does', () => {
  const flags = [{ key: 'data.dir', value: 'd' }];
  assert.equal(parseArguments(['backup', 'to', '--data.dir', 'd']), {
    type: 'backup',
    folder: 'to',
    configFile: undefined,
    flags,
  });
  assert.equal(parseArguments(['--data.dir', 'd', 'backup', 'to']).type, 'backup');
  assert.equal(parseArguments(['backup', '--help']), { type: 'help' });
  assert.equal(parseArguments(['backup']), {
    type: 'misuse',
    problems: ['backup needs a folder: backup FOLDER'],
  });
  assert.equal(parseArguments(['backup', 'a', 'b']), {
    type: 'misuse',
    problems: ['"b" is not understood: options begin with --'],
  });
});

cli('drop-second-factor takes one user', () => {
  assert.equal(parseArguments(['drop-second-factor', 'root@x.org', '--data.dir', 'd']), {
    type: 'drop-second-factor',
    email: 'root@x.org',
    configFile: undefined,
    flags: [{ key: 'data.dir', value: 'd' }],
  });
  assert.equal(parseArguments(['drop-second-factor']), {
    type: 'misuse',
    problems: ['drop-second-factor needs a user: drop-second-factor EMAIL'],
  });
});

cli('short flags; names of object members are no options', () => {
  assert.equal(parseArguments(['-c', 'a.yml']), { type: 'serve', configFile: 'a.yml', flags: [] });
  assert.equal(parseArguments(['-v']), { type: 'version' });
  for (const name of ['-x', '--constructor']) {
    const problems = [`there is no option ${name} (--help lists them)`];
    assert.equal(parseArguments([name]), { type: 'misuse', problems });
  }
});

cli('all problems are reported at once', () => {
  const command = parseArguments([
    '--dmeo',
    'serve',
    '--server.prot',
    '1',
    '--config',
    '--server.port',
    '--demo=1',
  ]);
  assert.is(command.type, 'misuse');
  assert.equal(command.type === 'misuse' && command.problems, [
    'there is no option --dmeo; did you mean --demo?',
    'there is no option --server.prot; did you mean --server.port?',
    '--config needs a value: --config=FILE',
    '--server.port needs a value: --server.port=VALUE',
    '--demo takes no value',
  ]);
  assert.equal(parseArguments(['serve']), {
    type: 'misuse',
    problems: [
      'there is no command "serve" (there are backup, verify, drop-second-factor; without one it serves), and options begin with --',
    ],
  });
});

cli('secrets are not taken from the command line, where every process reads them', () => {
  const secrets = ALL_OPTIONS.filter(({ option }) => isSecret(option));
  assert.ok(secrets.length > 8);
  for (const { option } of secrets) {
    const value = 'redis://user:hush@host';
    const parsed = parseArguments([`--${option.key}=${value}`]);
    assert.is(parsed.type, 'misuse', option.key);
    const [problem = ''] = parsed.type === 'misuse' ? parsed.problems : [];
    assert.match(problem, `${option.env}_FILE`);
    assert.not.match(problem, 'hush');
  }
  for (const url of ['memory:', 'lmdb:/var/lib/claimd', 'redis://host:6379', 'redis-cluster://a:1,b:2'])
    assert.is(parseArguments([`--store.url=${url}`]).type, 'serve', url);
  const hook = (url: string) => parseArguments([`--security.claim.policyHook.url=${url}`]);
  assert.is(hook('https://hook.test/ask').type, 'serve');
  const keyed = hook('https://hook.test/ask?code=hush');
  assert.is(keyed.type, 'misuse', 'a key in the query');
  assert.not.match(JSON.stringify(keyed), 'hush');
});

const docs = suite('config: documents');

docs('the help names every option', () => {
  const help = helpText();
  for (const { option } of ALL_OPTIONS) assert.ok(help.includes(`--${option.key}=`), option.key);
});

docs('the example file matches the schema (node dist/config/options/write-docs.js)', () => {
  assert.is(readFileSync(join(PROJECT, 'config/claimd.example.yml'), 'utf8'), exampleFile());
});

docs('config/README.md has the table of the schema (node dist/config/options/write-docs.js)', () => {
  assert.ok(readFileSync(join(PROJECT, 'config/README.md'), 'utf8').includes(optionTable()));
});

docs('the example file with every option uncommented is valid and gives the defaults', () => {
  const text = exampleFile().replace(/^#([a-z][^ ]*: .+)$/gm, '$1');
  const all = loadConfig({ file: { name: 'example', text, parseDocument }, env: {}, flags: [] });
  const none = loadConfig({ env: {}, flags: [] });
  if (all.type !== 'config' || none.type !== 'config') throw new Error(JSON.stringify([all, none]));
  // Where a value comes from is shown to operators, and differs.
  assert.equal({ ...all, shown: undefined }, { ...none, shown: undefined });
  const values = ({ shown }: typeof all) => shown.map(({ key, value }) => `${key}: ${value}`);
  assert.equal(values(all), values(none));
  const switchedOn = text.split('\n').filter((line) => /^[a-z]/.test(line)).length;
  const withDefault = ALL_OPTIONS.filter(
    ({ option }) => option.type !== 'key' && option.default !== undefined && !followsMemory(option),
  );
  assert.is(switchedOn, withDefault.length);
});

for (const each of [cli, docs]) each.run();
