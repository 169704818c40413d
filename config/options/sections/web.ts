/** The web application. */
import { ALL_LANGUAGES } from '../../../actors/texts/languages.ts';
import { defaultWebSettings as WEB } from '../../../http/web/settings.ts';
import { choice, flag, section, text } from './declare.ts';

/** No `javascript:`, which would run in the pages. */
const LINK = /^(https:\/\/|mailto:|tel:)[!-~]{1,500}$/u;
const LINK_EXPECTED = 'a link that begins with https://, mailto: or tel:';
const SENTENCE = /^[^\p{Cc}]{1,300}$/u;
const SENTENCE_EXPECTED = '1 to 300 characters, none of them a control character';

export const web = section('Web application', {
  enabled: flag({
    key: 'web.enabled',
    env: 'WEB_ENABLED',
    default: true,
    why: 'Whether the web pages are served under / on the HTTP port. The REST API does not need them.',
  }),
  name: text({
    key: 'web.name',
    env: 'WEB_NAME',
    default: WEB.name,
    pattern: /^[^\p{Cc}]{1,60}$/u,
    expected: '1 to 60 characters, none of them a control character',
    why: 'Name on the pages, such as that of your product.',
  }),
  logoFile: text({
    key: 'web.logo',
    env: 'WEB_LOGO',
    default: undefined,
    pattern: /\.(svg|png|jpe?g|webp)$/iu,
    expected: 'an SVG, PNG, JPEG or WebP file',
    why: 'File with the logo that is shown beside the name.',
  }),
  accent: text({
    key: 'web.accent',
    env: 'WEB_ACCENT',
    default: WEB.accent,
    pattern: /^#[0-9a-f]{6}$/iu,
    expected: 'a colour such as #0b5fb0',
    why: 'Colour of buttons and links. Shades for light and dark pages are derived from it.',
  }),
  support: text({
    key: 'web.support',
    env: 'WEB_SUPPORT',
    default: undefined,
    pattern: LINK,
    expected: LINK_EXPECTED,
    why: 'Where customers get help; linked at the foot of every page and on the page of each device.',
  }),
  privacy: text({
    key: 'web.privacy',
    env: 'WEB_PRIVACY',
    default: undefined,
    pattern: LINK,
    expected: LINK_EXPECTED,
    why: 'What is said about the data of your customers; linked at the foot of every page.',
  }),
  buttonHint: text({
    key: 'web.buttonHint',
    env: 'WEB_BUTTON_HINT',
    default: undefined,
    pattern: SENTENCE,
    expected: SENTENCE_EXPECTED,
    why: 'Which button of a device opens its claim window, e.g. `Hold the round button for three seconds.` Shown to who claims too early.',
  }),
  afterClaim: text({
    key: 'web.afterClaim.text',
    env: 'WEB_AFTER_CLAIM_TEXT',
    default: undefined,
    pattern: SENTENCE,
    expected: SENTENCE_EXPECTED,
    why: 'What customers read after a claim, e.g. what to do next.',
  }),
  language: choice({
    key: 'web.language',
    env: 'WEB_LANGUAGE',
    choices: ALL_LANGUAGES,
    default: WEB.language,
    why: 'Language of the pages where neither the address, the user, the browser’s choice nor its Accept-Language says another.',
  }),
  texts: text({
    key: 'web.texts',
    env: 'WEB_TEXTS',
    default: undefined,
    pattern: /^[^\p{Cc}]{1,1000}$/u,
    expected: 'a folder',
    why: 'Folder with your own words for texts of the pages: `de.json` has those of German, as `{"claim.title": "…"}`. The keys and our words are in `http/web/texts/*/en.ts`; a key that is none, or a text that is not in ICU form, stops the start.',
  }),
  labelFonts: text({
    key: 'web.labelFonts',
    env: 'WEB_LABEL_FONTS',
    default: undefined,
    pattern: /^[^\p{Cc}]{1,1000}$/u,
    expected: 'a folder',
    why: 'Folder with fonts (.ttf, .otf, .ttc) for letters on labels that DejaVu Sans Condensed lacks: Chinese, Japanese, Korean, Thai, those of India. The first by file name that has a letter prints it. A file that is no font, or one of pictures without outlines, stops the start. Each worker holds a copy of them all in its memory.',
  }),
  afterClaimLink: text({
    key: 'web.afterClaim.link',
    env: 'WEB_AFTER_CLAIM_LINK',
    default: undefined,
    pattern: LINK,
    expected: LINK_EXPECTED,
    why: 'Where it goes on after a claim, e.g. your app. Needs `web.afterClaim.text`.',
  }),
});
