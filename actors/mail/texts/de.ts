/** What mails say, in German. */
import type { en } from './en.ts';

export const de: Readonly<Record<keyof typeof en, string>> = {
  'account.why': 'Sie erhalten diese Mail, weil Sie ein Konto bei {product} haben.',
  'asked.why':
    'Sie erhalten diese Mail, weil jemand bei {product} diese Adresse angegeben hat. Waren Sie es nicht, brauchen Sie nichts zu tun.',
  'reset.subject': 'Neues Passwort wählen',
  'reset.text':
    'Jemand hat für Ihr Konto bei {product} ein neues Passwort angefordert. Waren Sie es, wählen Sie es hier:',
  'reset.action': 'Neues Passwort wählen',
  'reset.until':
    'Der Link gilt einmal, {hours, plural, one {# Stunde} other {# Stunden}} lang. Bis dahin gilt Ihr altes Passwort.',
  'reset.not-you': 'Waren Sie es nicht, tun Sie nichts: Ihr Passwort bleibt, wie es ist.',
  'activation.subject': 'Ihr Konto bei {product}',
  'activation.text':
    'Bei {product} wurde ein Konto für Sie angelegt. Wählen Sie hier Ihr Passwort, dann sind Sie angemeldet:',
  'activation.action': 'Passwort wählen',
  'activation.until': 'Der Link gilt einmal, {hours, plural, one {# Stunde} other {# Stunden}} lang.',
  'sign-up.subject': 'Ihr Konto bei {product}',
  'sign-up.text':
    'Jemand möchte bei {product} mit dieser Adresse ein Konto anlegen. Waren Sie es, wählen Sie hier Ihr Passwort, dann sind Sie angemeldet:',
  'sign-up.same-browser':
    'Öffnen Sie ihn in dem Browser, in dem Sie begonnen haben: Was Sie gescannt haben, ist dort noch da.',
  'sign-up.not-you': 'Waren Sie es nicht, tun Sie nichts: Es gibt kein Konto.',
  'activated.subject': 'Ihr Konto ist aktiv',
  'activated.text':
    'Sie haben ein Passwort für Ihr Konto bei {product} gewählt. Sie melden sich mit dieser Adresse an.',
  'activated.action': 'Zu {product}',
  'changed.subject': 'Ihr Passwort wurde geändert',
  'changed.text':
    'Das Passwort Ihres Kontos bei {product} wurde geändert, und alle anderen Geräte wurden abgemeldet.',
  'changed.not-you': 'Waren Sie es nicht, wählen Sie sofort ein neues Passwort:',
  'changed.by-mail': 'Andere Anmeldewege und API-Schlüssel wurden ebenfalls entfernt.',
  'sign-in-added.subject': 'Ein weiterer Anmeldeweg wurde hinzugefügt',
  'sign-in-added.text':
    'Bei Ihrem Konto bei {product} kann man sich ab jetzt auch mit „{provider}“ anmelden.',
  'address-changed.subject': 'Ihre E-Mail-Adresse wurde geändert',
  'address-changed.text':
    'Ihr Konto bei {product} hat ab jetzt eine andere E-Mail-Adresse. Diese wird nicht mehr verwendet.',
  'address-changed.not-you': 'Waren Sie es nicht, wenden Sie sich an den Betreiber von {product}.',
  'taken.subject': 'Sie haben schon ein Konto',
  'taken.text':
    'Jemand wollte bei {product} ein Konto mit dieser Adresse anlegen. Es gibt schon eines, darum wurde keines angelegt.',
  'taken.action': 'Anmelden',
  'taken.not-you': 'Haben Sie Ihr Passwort vergessen, hilft die Anmeldeseite.',
  'waiting.subject': 'Ein Konto wartet auf Sie',
  'waiting.text':
    'Jemand wollte bei {product} ein Konto mit dieser Adresse anlegen. Es wurde keines angelegt: Eines, das ein Administrator für Sie angelegt hat, wartet schon und wurde nie aktiviert.',
  'waiting.expected':
    'Haben Sie dieses Konto erwartet, wählen Sie hier Ihr Passwort, dann sind Sie angemeldet:',
  'waiting.ask':
    'Haben Sie dieses Konto erwartet, öffnen Sie den Link in dessen Aktivierungsmail oder bitten Sie den Administrator um einen neuen.',
  'waiting.not-you':
    'Seine Administratoren sehen, was darin ist. Haben Sie es nicht erwartet, lassen Sie es, wie es ist, und wenden Sie sich an den Betreiber von {product}.',
  'notice.why':
    'Sie erhalten diese Mail wegen Ihres Kontos bei {product}. Dort wählen Sie, welche dieser Mails Sie erhalten:',
  'notice.action': 'Geräte ansehen',
  'claimed.subject': '{device} gehört jetzt Ihnen',
  'claimed.text': '{device} gehört ab jetzt zu Ihrem Konto bei {product}.',
  'given-back.subject': '{device} gehört Ihnen nicht mehr',
  'given-back.text':
    '{device} wurde zurückgegeben oder übergeben, oder ein Administrator von {product} hat es aus Ihrem Konto genommen.',
  'offered.subject': '{device} wird Ihnen angeboten',
  'offered.text':
    'Der Besitzer von {device} möchte es Ihnen bei {product} übergeben. Sie können es bis {until} annehmen.',
  'offered.no-account':
    'Dazu brauchen Sie ein Konto mit dieser Adresse. Kennen Sie kein solches Gerät, tun Sie nichts.',
  'take-over.subject': 'Jemand möchte {device} übernehmen',
  'take-over.text':
    'Jemand, der {device} vor sich hat, möchte sein Besitzer werden. Tun Sie nichts, gehört es ab {until} nicht mehr Ihnen. Bis dahin können Sie widersprechen:',
  'lost.subject': '{device} wurde übernommen',
  'lost.text': '{device} gehört bei {product} jetzt jemand anderem, der es vor sich hatte.',
  'factory-reset.subject': '{device} wurde zurückgesetzt',
  'factory-reset.text': '{device} wurde am Gerät selbst zurückgesetzt und gehört Ihnen nicht mehr.',
  'notice.not-you': 'Ist das nicht richtig, wenden Sie sich an den Betreiber von {product}.',
  'test.subject': 'Ein Test von {product}',
  'test.text': 'Mails von {product} kommen an.',
};
