/** For the system administrator: what this server runs with. First what somebody has set, then everything, by sections. */
import { SYSTEM } from '../../auth/principal.ts';
import { type ServerOption, serverOptionsView } from '../../routes/server-options.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Head } from '../parts/elements.tsx';
import { type Column, PlainTable } from '../parts/table.tsx';
import type { TextKey } from '../texts/catalogues.ts';
import type { Say } from '../texts/say.ts';
import { DOCUMENTS } from './settings.tsx';

async function serverReply({ api, locale: { say } }: SignedIn): Promise<PageReply> {
  const { options } = await api.get('/api/admin/options', serverOptionsView);
  const set = options.filter(({ source }) => source !== 'DEFAULT');
  const columns = columnsIn(say);
  const sections = [...new Set(options.map(({ section }) => section))];
  return {
    type: 'page',
    title: say('frame.server'),
    body: (
      <>
        <Head title={say('frame.server')} lead={say('server.lead')} />
        <section class="card" aria-labelledby="set">
          <h2 id="set">{say('server.set')}</h2>
          {set.length === 0 ? (
            <p class="muted">{say('server.noneSet')}</p>
          ) : (
            <PlainTable caption={say('server.setCaption')} columns={columns} rows={set} />
          )}
        </section>
        <h2>{say('server.all')}</h2>
        {sections.map((section) => (
          <details class="card">
            <summary>
              <bdi lang="en">{section}</bdi>
            </summary>
            <PlainTable
              caption={<span lang="en">{section}</span>}
              columns={columns}
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

/** What an option means, and where its value stands, is the reference: in English, as in the file and in `--help`. */
function columnsIn(say: Say): readonly Column<ServerOption>[] {
  return [
    {
      title: say('server.option'),
      kind: 'row',
      cell: ({ key, meaning }) => (
        <>
          <code>{key}</code>
          <small class="about">
            <bdi lang="en">{meaning}</bdi>
          </small>
        </>
      ),
    },
    { title: say('server.value'), cell: (option) => shownValue(option, say) },
    {
      title: say('server.from'),
      cell: ({ source, where, env }) => (
        <>
          {say.pieces(FROM[source], { env: <code>{env}</code> })}
          {where === null ? null : (
            <small class="about">
              <bdi lang="en">{where}</bdi>
            </small>
          )}
        </>
      ),
    },
  ];
}

const FROM = {
  DEFAULT: 'server.byDefault',
  DEMO: 'server.byDemo',
  FILE: 'server.byFile',
  ENVIRONMENT: 'server.byEnvironment',
  COMMAND_LINE: 'server.byCommandLine',
} as const satisfies Readonly<Record<ServerOption['source'], TextKey>>;

function shownValue({ value, hidden }: ServerOption, say: Say) {
  if (hidden) return say('server.hidden');
  if (value === null) return say('server.nothing');
  return value === '' ? say('server.empty') : <code>{value}</code>;
}

export const serverPages: readonly Page[] = [memberPage('/server', SYSTEM, { get: serverReply })];
