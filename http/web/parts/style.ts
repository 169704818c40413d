/**
 * The one stylesheet. Phone first; what a wide screen adds comes in `@media`. It loads no image and no font, and nothing
 * from another host.
 */
import { shadesOn } from './theme.ts';

const LIGHT = '#f5f6f8';
const DARK = '#10141a';
/** The darkest light and the lightest dark background that links and buttons stand on. */
const SUNKEN_LIGHT = '#eceff3';
const SUNKEN_DARK = '#242b36';

export function stylesheet(accent: string): string {
  return [colours(accent), BASE, FRAME, CARDS, FORMS, TABLES, FIGURES, LABELS, WIDTHS].join('');
}

/** The colours of light and dark, as variables. */
function colours(accent: string): string {
  const [light, dark] = [shadesOn(SUNKEN_LIGHT, accent), shadesOn(SUNKEN_DARK, accent)];
  const day = `--bg: ${LIGHT}; --surface: #fff; --sunken: ${SUNKEN_LIGHT}; --text: #1a1f26; --muted: #535d69; --line: #d6dbe2; --field: #7a8492;
  --good: #136235; --good-bg: #e4f4ea; --warn: #7d4a00; --warn-bg: #fdf0d9; --bad: #a3201a; --bad-bg: #fdeae8;
  --accent: ${light.accent}; --accent-text: ${light.accent}; --on-accent: ${light.onAccent};
  --shadow: 0 1px 2px rgb(16 24 40 / 6%), 0 2px 8px rgb(16 24 40 / 5%);`;
  const night = `--bg: ${DARK}; --surface: #1a2029; --sunken: ${SUNKEN_DARK}; --text: #e8ebf0; --muted: #a6b0bd; --line: #323b48; --field: #7a8595;
  --good: #7ad79a; --good-bg: #16311f; --warn: #f2bd6b; --warn-bg: #37290f; --bad: #ff9d94; --bad-bg: #3d1a18;
  --accent: ${dark.accent}; --accent-text: ${dark.accent}; --on-accent: ${dark.onAccent};
  --shadow: none;`;
  // The last two are for the page that shows both beside each other.
  return `
:root { color-scheme: light dark; --radius: .75rem; ${day} }
@media (prefers-color-scheme: dark) { :root { ${night} } }
.in-light { color-scheme: light; ${day} }
.in-dark { color-scheme: dark; ${night} }
.in-light, .in-dark { color: var(--text); background: var(--bg); padding: 1rem; border-radius: var(--radius); margin-bottom: 1rem; }
`;
}

/** Text, headings, links. */
const BASE = `*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 4rem; }
body { margin: 0; font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--text); background: var(--bg);
  min-height: 100vh; display: flex; flex-direction: column; overflow-wrap: break-word; }
a { color: var(--accent-text); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .25rem; }
[hidden] { display: none !important; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; inset-inline-start: .5rem; top: -4rem; background: var(--surface); padding: .5rem 1rem; z-index: 3; }
.skip:focus { top: .5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.125rem; line-height: 1.3; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; }
.lead { color: var(--muted); max-width: 44rem; }
.muted, small { color: var(--muted); }
small { font-size: .875rem; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; overflow-wrap: anywhere; direction: ltr; unicode-bidi: isolate; }

`;

/** The head of a page, its navigation, and the columns under it. */
const FRAME = `.top { background: var(--surface); border-bottom: 1px solid var(--line); }
.top > div { max-width: 76rem; margin: 0 auto; padding: .5rem 1rem; display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem; }
.brand { display: inline-flex; align-items: center; gap: .6rem; font-weight: 650; color: inherit; text-decoration: none; min-height: 2.75rem; }
.brand img, .brand svg { height: 1.75rem; width: auto; max-width: 10rem; }
.brand svg { color: var(--accent); }
.top nav { display: flex; flex-wrap: wrap; gap: .125rem; order: 3; width: 100%; margin: 0 -.5rem; }
.top nav a { padding: .5rem .625rem; color: var(--muted); text-decoration: none; border-radius: .5rem; font-weight: 550; font-size: .9375rem; }
.top nav a:hover { color: var(--text); background: var(--sunken); }
.top nav a[aria-current] { color: var(--accent-text); box-shadow: inset 0 -2px var(--accent); border-radius: .5rem .5rem 0 0; }
.me { margin-inline-start: auto; display: flex; align-items: center; gap: .25rem; min-width: 0; }
.me a { color: var(--muted); text-decoration: none; padding: .5rem; max-width: 18rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .9375rem; }
.me a:hover { text-decoration: underline; }
main { flex: 1; width: 100%; max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
main.narrow { max-width: 30rem; }
.foot { max-width: 76rem; width: 100%; margin: 0 auto; padding: 1rem; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; font-size: .9375rem; }
.languages { display: flex; gap: .5rem; align-items: center; margin-inline-start: auto; }
.languages select { width: auto; min-width: 0; padding-block: .25rem; min-height: 2.25rem; font-size: .9375rem; }
.languages button { min-height: 2.25rem; padding: .25rem .75rem; font-size: .9375rem; font-weight: 500; }
.foot a { padding: .25rem 0; color: var(--muted); }
.head { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: flex-start; justify-content: space-between; margin-bottom: 1.25rem; }
.head > div { min-width: 0; }
.head h1 { overflow-wrap: anywhere; }
.filters .row { grid-column: 1 / -1; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.row form { display: contents; }
.grid { display: grid; gap: 1rem; margin-bottom: 1rem; }
.grid > .card, .grid > div > :last-child { margin-bottom: 0; }

`;

/** Cards and notes. */
const CARDS = `.card { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); padding: 1.25rem 1rem; margin-bottom: 1rem; min-width: 0; }
.card > h1 { margin-bottom: .75rem; }
.card > :last-child { margin-bottom: 0; }
.note { border-inline-start: 4px solid var(--muted); background: var(--sunken); border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 1rem; }
.note p:last-child, .note h2:last-child { margin: 0; }
.note h2 { margin-bottom: .25rem; }
.note.good { border-color: var(--good); background: var(--good-bg); }
.note.warn { border-color: var(--warn); background: var(--warn-bg); }
.note.bad { border-color: var(--bad); background: var(--bad-bg); }

`;

/** Fields and buttons. */
const FORMS = `label, legend { display: block; font-weight: 600; margin-bottom: .25rem; }
fieldset { border: 0; padding: 0; margin: 0 0 1rem; min-width: 0; }
.field { margin-bottom: 1rem; }
.field small { display: block; margin: .25rem 0 0; }
input, select, textarea { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--field); border-radius: .5rem; padding: .5rem .75rem; width: 100%; min-height: 2.75rem; max-width: 100%; }
input[type=checkbox], input[type=radio] { width: 1.5rem; height: 1.5rem; min-height: 0; accent-color: var(--accent); flex: none; margin: 0; }
input[type=file] { padding: .5rem; }
input[aria-invalid=true] { border-color: var(--bad); border-width: 2px; }
.check { display: flex; gap: .625rem; align-items: flex-start; font-weight: 400; margin-bottom: .75rem; }
button, .button { font: inherit; font-weight: 600; border: 1px solid var(--field); border-radius: .5rem; padding: .5rem 1rem; min-height: 2.75rem; background: var(--surface); color: var(--text); cursor: pointer; text-decoration: none; display: inline-flex; align-items: center; justify-content: center; gap: .5rem; text-align: center; max-width: 100%; overflow-wrap: anywhere; }
button:hover, .button:hover { background: var(--sunken); }
button.primary, .button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.primary:hover, .button.primary:hover { filter: brightness(1.08); }
button.danger, .button.danger { color: var(--bad); border-color: var(--bad); }
button.plain { border-color: transparent; background: none; color: var(--muted); padding: .5rem; font-weight: 500; }
button.plain:hover { color: var(--text); text-decoration: underline; }
.wide { width: 100%; }
.search { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-bottom: 1rem; }
.search > div { flex: 1 1 12rem; min-width: 0; }
.search > div.small { flex: 0 1 12rem; }
.search > div:has(> select), .search > div.small:has(> select) { flex: 0 1 auto; }
.search label { font-size: .875rem; color: var(--muted); font-weight: 550; }

`;

/** Tables, which become cards on a phone. */
const TABLES = `table { width: 100%; border-collapse: collapse; }
caption { text-align: start; color: var(--muted); padding-bottom: .5rem; font-size: .9375rem; }
th { text-align: start; font-size: .8125rem; color: var(--muted); font-weight: 600; }
td, th { padding: .625rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child td, tbody tr:last-child th { border-bottom: 0; }
tbody th { font-size: 1rem; color: inherit; }
td a, tbody th a, .feed a, .links a, .empty a { display: inline-block; min-height: 1.5rem; min-width: 1.5rem; }
p > a:only-child:not(.button) { padding-block: .25rem; }
.links { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
summary { cursor: pointer; }
tbody th { overflow-wrap: anywhere; min-width: 12rem; }
td input[type=checkbox] { display: block; }
td .note { max-width: 32rem; }
table.wrap td { overflow-wrap: anywhere; min-width: 6rem; }
.card:not(.tablecard, .fleet) > table :is(td, th):first-child { padding-inline-start: 0; }
.card:not(.tablecard, .fleet) > table :is(td, th):last-child { padding-inline-end: 0; }
.tablecard .selected { padding: .75rem 0; }
.about { display: block; font-weight: 400; }
td.num, th.num { text-align: end; font-variant-numeric: tabular-nums; }
table.wrap td.num { overflow-wrap: normal; white-space: nowrap; min-width: 0; }
.tablecard { padding: .25rem 0; overflow-x: auto; }
.chips { display: flex; flex-wrap: wrap; gap: .375rem; margin-bottom: 1rem; }
.chip { border: 1px solid var(--field); border-radius: 2rem; padding: .25rem .75rem; min-height: 2.25rem; display: inline-flex; align-items: center; color: var(--text); background: var(--surface); text-decoration: none; font-size: .9375rem; }
.views { display: flex; flex-wrap: wrap; gap: .375rem .75rem; align-items: start; margin-bottom: 1rem; }
.views .chips, .views .field { margin-bottom: 0; }
.views > form button { padding: .25rem .75rem; min-height: 2.25rem; }
.views summary { min-height: 2.25rem; padding: .375rem 0; color: var(--accent-text); cursor: pointer; }
.chip:hover { background: var(--sunken); }
.chip[aria-current] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.card.fleet { padding: 0; }
#search-hint { display: block; margin: -.5rem 0 1rem; }
.selecting { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: center; padding: .625rem .75rem; border-bottom: 1px solid var(--line); font-size: .9375rem; }
.selecting .check { margin: 0; align-items: center; }
.selecting a { padding: .25rem 0; }
.bar { position: sticky; bottom: 0; z-index: 1; display: flex; gap: .375rem; align-items: center; margin: 0; padding: .5rem .75rem; background: var(--surface); border-top: 1px solid var(--line); border-radius: 0 0 var(--radius) var(--radius); overflow-x: auto; }
.bar button { flex: none; padding: .375rem .75rem; font-size: .9375rem; }
.bar [data-told] { flex: none; margin-inline-end: .375rem; font-size: .9375rem; }
/* What gets the focus is not left under the bar. */
.fleet :is(tbody, thead) :is(a, button, input) { scroll-margin-block: 4rem 6rem; }
@supports selector(:has(a)) { .fleet:not(:has(:checked)) .bar { display: none; } }
.fleet th a { color: inherit; text-decoration: none; display: inline-block; min-height: 1.5rem; }
.fleet thead th a:hover, .fleet tbody th a { text-decoration: underline; }
@media (min-width: 44.01rem) {
  td > select { width: auto; max-width: none; }
  .bar { flex-wrap: wrap; }
  .fleet thead th { position: sticky; top: 0; z-index: 1; background: var(--surface); box-shadow: inset 0 -1px var(--line); }
  .fleet td, .fleet th { padding: .375rem .75rem; }
  .fleet tbody th, .fleet td { font-size: .9375rem; }
  .fleet td.pick { padding-top: .5rem; }
}
/* On a phone the choice that is made is read whole: its maker, its size, how many are on a sheet. */
@media (max-width: 26rem) { #stock { font-size: .8125rem; padding-inline: .5rem; } }
@media (min-width: 70rem) { table.wrap td.who { min-width: 12rem; } }
@media (max-width: 44rem) { .fleet thead { display: none; } .fleet tr:has(:checked) { background: var(--sunken); } }
.tablecard caption { padding: .75rem .75rem .25rem; }
@media (max-width: 44rem) {
  table.cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.cards, table.cards tbody, table.cards caption { display: block; }
  table.cards tr { display: block; padding: .75rem; border-bottom: 1px solid var(--line); }
  table.cards tr:last-child { border-bottom: 0; }
  .card:not(.tablecard, .fleet) > table.cards tr { padding-inline: 0; }
  .tablecard .selected { padding-inline: .75rem; }
  table.cards td, table.cards th { display: block; border: 0; padding: .125rem 0; }
  table.cards td[data-label]::before { content: attr(data-label) " "; color: var(--muted); font-size: .875rem; }
  table.cards td:empty { display: none; }
  table.cards td.num { text-align: start; }
  table.cards td.pick { float: inline-start; padding-block: .125rem 0; padding-inline: 0 .75rem; }
  /* Beside the box, however long it is. */
  table.cards td.pick + th { display: flow-root; min-width: 0; }
  .card .plot text { font-size: 18px; }
}
`;

/** States, feeds, plots, figures and what else single pages have. */
const FIGURES = `dl + p, dl + .row, .row + p, .card > form + form, .card > form + p, .story + p, ol + details { margin-top: 1rem; }
.card h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
dl { display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: .5rem 1rem; margin: 0; }
dt { color: var(--muted); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.state { display: inline-flex; gap: .4rem; align-items: center; font-weight: 600; }
td .state { white-space: nowrap; }
.state::before { content: ""; width: .625rem; height: .625rem; border-radius: 50%; border: 2px solid currentcolor; flex: none; }
.state.open { color: var(--accent-text); } .state.open::before { background: currentcolor; }
.state.owned { color: var(--good); } .state.owned::before { background: currentcolor; }
.state.free { color: var(--muted); }
.sessions { list-style: none; margin: 0 0 1rem; padding: 0; }
.sessions li { padding: 0 0 .75rem; margin: 0 0 .75rem; border-bottom: 1px solid var(--line); }
.sessions small { display: block; }
.sessions form { margin-top: .5rem; }
.pager { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; margin-top: 1rem; }
.feed { list-style: none; margin: 0; padding: 0; }
.feed li { padding: .625rem 0; border-bottom: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: .125rem .75rem; }
.feed li:last-child { border: 0; }
.feed time { color: var(--muted); font-variant-numeric: tabular-nums; }
/* Time runs from left to right in each language, and so the ends of the labels are. */
.plot { width: 100%; height: auto; display: block; direction: ltr; }
.plot .bar { fill: var(--accent); } .plot .grid-line { stroke: var(--line); } .plot text { fill: var(--muted); font-size: 11px; }
.figures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); margin-bottom: 1rem; }
.figures .card { margin: 0; padding: 1rem; }
.figures b { display: block; font-size: 1.75rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.plotbox { margin: 0; }
progress { width: 100%; height: .75rem; appearance: none; border: 0; border-radius: .375rem; background: var(--line); overflow: hidden; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
video { width: 100%; border-radius: .5rem; background: #000; aspect-ratio: 4 / 3; object-fit: cover; }
.demo { list-style: none; padding: 0; margin: 0; display: grid; gap: .5rem; }
.demo li { min-width: 0; }
.demo button { width: 100%; flex-wrap: wrap; gap: 0 .75rem; justify-content: space-between; font-weight: 500; text-align: start; }
.moment { text-align: center; padding-top: 2rem; }
.moment svg { display: block; width: 4.5rem; height: 4.5rem; margin: 0 auto 1rem; color: var(--good); }
.moment h1 { font-size: 1.75rem; }
.moment .row { justify-content: center; }
.moment .field { text-align: start; }
.next { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 1.25rem; }
.story { list-style: none; margin: 0; padding: 0; }
.story li { border-inline-start: 2px solid var(--line); padding-block: 0 1rem; padding-inline: 1rem 0; position: relative; }
.story li::before { content: ""; position: absolute; inset-inline-start: -.4rem; top: .45rem; width: .625rem; height: .625rem; border-radius: 50%; background: var(--accent); }
.story li:last-child { border-color: transparent; padding-bottom: 0; }
.story time { display: block; color: var(--muted); font-size: .875rem; }
.story b { display: block; }
.story small { display: block; }
.story a { display: inline-block; min-height: 1.5rem; margin-inline-end: .75rem; }
.facts { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; }
.card.danger { border-color: var(--bad); }
details.card > summary { font-weight: 650; min-height: 1.5rem; }
details.card > form { margin-top: 1rem; }
.scanned { margin: 0; }
[data-scanned] .scanned + .big { font-size: 1.5rem; margin-bottom: 1.25rem; }
.instead { text-align: center; margin: .5rem 0 0; }
form [data-state] { margin: .75rem 0 0; }
button:disabled { opacity: .6; cursor: progress; }
.waiting { margin-top: 1rem; }
.waiting h3 { font-size: 1rem; margin: 0 0 .25rem; }
.waiting .row { justify-content: space-between; margin: .25rem 0 0; }
.big { font-size: 1.25rem; font-weight: 650; overflow-wrap: anywhere; }
.filters { display: grid; gap: 0 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); align-items: end; }
.filters .row { margin-bottom: 1rem; }
.steps { padding-left: 2.5rem; }
.steps li { margin-bottom: 1.25rem; }
.ways { list-style: none; margin: 0; padding: 0; }
.ways li { padding: .375rem 0; }
.ways a { display: inline-block; min-height: 1.5rem; font-weight: 600; }
.ways small { display: block; }
.copied .row { flex-wrap: nowrap; }
.copied button { flex: none; }
meter { display: block; width: 100%; height: .75rem; }
textarea[readonly] { margin-bottom: .5rem; }
section > details, details > .field, details > .qr { margin-top: .75rem; }
.empty { text-align: center; padding: 2rem 1rem; color: var(--muted); }

`;

/** The picture of a sheet of labels, and codes that are scanned from the screen. */
const LABELS = `.sheet { margin: 0; padding: .5rem; background: #fff; border-radius: var(--radius); }
.sheet svg { display: block; width: 100%; height: auto; max-height: 70rem; font-family: "DejaVu Sans Condensed", "DejaVu Sans", sans-serif; }
.cells { margin: 0; padding-left: 1.5rem; color: var(--muted); overflow-wrap: anywhere; min-width: 18ch; }
.qr svg { display: block; width: 12rem; height: auto; background: #fff; }
`;

/** What other widths, motion and paper change. */
const WIDTHS = `@media (max-width: 47.99rem) {
  .me { display: contents; }
  .me form { margin-inline-start: auto; }
  .me a { order: 2; width: 100%; max-width: none; padding: 0 0 .25rem; white-space: normal; overflow-wrap: anywhere; font-size: .875rem; }
}
@media (max-width: 30rem) {
  .search > div.small { flex: 1 1 9rem; }
  dl { grid-template-columns: minmax(4.5rem, auto) 1fr; }
  .top nav { gap: 0; width: calc(100% + 1rem); }
  .top nav a { padding: .5rem .375rem; font-size: .875rem; }
}
@media (min-width: 48rem) {
  main { padding-top: 2rem; }
  .top nav { order: 0; width: auto; margin: 0; }
  .card { padding: 1.5rem; }
  .tablecard { padding: .25rem .75rem; }
  .two { grid-template-columns: 1fr 1fr; align-items: start; }
}
@media (min-width: 60rem) {
  .side { grid-template-columns: minmax(0, 2fr) minmax(15rem, 1fr); align-items: start; }
  td > time { white-space: nowrap; }
  td > .links { min-width: max-content; }
}
@media (prefers-reduced-motion: no-preference) {
  button, .button, .top nav a { transition: background-color .12s, filter .12s; }
  .feed li.fresh { animation: fresh 1.6s ease-out; }
  @keyframes fresh { from { background: var(--good-bg); } }
}
@media (prefers-reduced-motion: no-preference) {
  .waiting progress { animation: waits 1.6s ease-in-out infinite alternate; }
  @keyframes waits { from { opacity: 1; } to { opacity: .55; } }
}
@media print {
  .top, .foot { display: none !important; }
  body, main { background: #fff; padding: 0; margin: 0; max-width: none; }
}
`;
