/** The web application. */
import { defaultWebSettings as WEB } from '../../../http/web/settings.ts';
import { flag, section, text } from './declare.ts';

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
});
