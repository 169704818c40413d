/** For the system administrator: what this server runs with. First what somebody has set, then everything, by sections. */
import { SYSTEM } from '../../auth/principal.ts';
import { type ServerOption, serverOptionsView } from '../../routes/server-options.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Head } from '../parts/elements.tsx';
import { type Column, PlainTable } from '../parts/table.tsx';
import { DOCUMENTS } from './settings.tsx';

async function serverReply({ api }: SignedIn): Promise<PageReply> {
  const { options } = await api.get('/api/admin/options', serverOptionsView);
  const set = options.filter(({ source }) => source !== 'DEFAULT');
  const sections = [...new Set(options.map(({ section }) => section))];
  return {
    type: 'page',
    title: 'Server',
    body: (
      <>
        <Head
          title="Server"
          lead="What the process that answered runs with. It is read when it starts: change it in the file or the environment, and start it again."
        />
        <section class="card" aria-labelledby="set">
          <h2 id="set">Set by you</h2>
          {set.length === 0 ? (
            <p class="muted">Nothing: every option has its default.</p>
          ) : (
            <PlainTable caption="Options that are set" columns={COLUMNS} rows={set} />
          )}
        </section>
        <h2>All options</h2>
        {sections.map((section) => (
          <details class="card">
            <summary>{section}</summary>
            <PlainTable
              caption={section}
              columns={COLUMNS}
              rows={options.filter((option) => option.section === section)}
            />
          </details>
        ))}
        <p class="links">
          {DOCUMENTS.map(([to, label]) => (
            <a href={to}>{label}</a>
          ))}
        </p>
      </>
    ),
  };
}

const COLUMNS: readonly Column<ServerOption>[] = [
  {
    title: 'Option',
    kind: 'row',
    cell: ({ key, meaning }) => (
      <>
        <code>{key}</code>
        <small class="about">{meaning}</small>
      </>
    ),
  },
  { title: 'Value', cell: shownValue },
  {
    title: 'From',
    cell: ({ source, where, env }) => where ?? `${FROM[source]}; ${env} would set it`,
  },
];

const FROM: Readonly<Record<ServerOption['source'], string>> = {
  DEFAULT: 'the default',
  DEMO: 'the default of a demo',
  FILE: 'the file',
  ENVIRONMENT: 'the environment',
  COMMAND_LINE: 'the command line',
};

function shownValue({ value, hidden }: ServerOption) {
  if (hidden) return 'set, not shown';
  if (value === null) return 'none';
  return value === '' ? 'empty' : <code>{value}</code>;
}

export const serverPages: readonly Page[] = [memberPage('/server', SYSTEM, { get: serverReply })];
