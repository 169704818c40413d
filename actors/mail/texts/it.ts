/** What mails say, in Italian. */
import type { en } from './en.ts';

export const it: Readonly<Record<keyof typeof en, string>> = {
  'account.why': 'Riceve questo messaggio perché ha un account su {product}.',
  'asked.why':
    'Riceve questo messaggio perché qualcuno ha indicato questo indirizzo su {product}. Se non è stato lei, non deve fare nulla.',
  'reset.subject': 'Scelga una nuova password',
  'reset.text':
    'Qualcuno ha chiesto una nuova password per il suo account su {product}. Se è stato lei, la scelga qui:',
  'reset.action': 'Scegli una nuova password',
  'reset.until':
    'Il link funziona una volta, per {hours, plural, one {# ora} other {# ore}}. Fino ad allora vale la vecchia password.',
  'reset.not-you': 'Se non è stato lei, non faccia nulla: la password resta com’è.',
  'activation.subject': 'Il suo account su {product}',
  'activation.text':
    'È stato creato un account per lei su {product}. Scelga qui la password e avrà effettuato l’accesso:',
  'activation.action': 'Scegli la password',
  'activation.until': 'Il link funziona una volta, per {hours, plural, one {# ora} other {# ore}}.',
  'sign-up.subject': 'Il suo account su {product}',
  'sign-up.text':
    'Qualcuno vuole creare un account su {product} con questo indirizzo. Se è stato lei, scelga qui la password e avrà effettuato l’accesso:',
  'sign-up.same-browser': 'Lo apra nel browser in cui ha iniziato: ciò che ha scansionato è ancora lì.',
  'sign-up.not-you': 'Se non è stato lei, non faccia nulla: non esiste alcun account.',
  'activated.subject': 'Il suo account è attivo',
  'activated.text': 'Ha scelto una password per il suo account su {product}. Acceda con questo indirizzo.',
  'activated.action': 'Vai a {product}',
  'changed.subject': 'La sua password è stata cambiata',
  'changed.text':
    'La password del suo account su {product} è stata cambiata e tutti gli altri dispositivi sono stati disconnessi.',
  'changed.not-you': 'Se non è stato lei, scelga subito una nuova password:',
  'changed.by-mail': 'Sono stati rimossi anche gli altri modi di accedere e le chiavi API.',
  'sign-in-added.subject': 'È stato aggiunto un altro modo di accedere',
  'sign-in-added.text': 'D’ora in poi si può accedere al suo account su {product} anche con “{provider}”.',
  'address-changed.subject': 'Il suo indirizzo e-mail è stato cambiato',
  'address-changed.text':
    'Il suo account su {product} ha da ora un altro indirizzo e-mail. Questo non viene più usato.',
  'address-changed.not-you': 'Se non è stato lei, avvisi chi gestisce {product}.',
  'taken.subject': 'Ha già un account',
  'taken.text':
    'Qualcuno voleva creare un account su {product} con questo indirizzo. Ne esiste già uno, quindi non ne è stato creato alcuno.',
  'taken.action': 'Accedi',
  'taken.not-you': 'Se ha dimenticato la password, la pagina di accesso la aiuta.',
  'waiting.subject': 'Un account la attende',
  'waiting.text':
    'Qualcuno voleva creare un account su {product} con questo indirizzo. Non ne è stato creato alcuno: uno creato per lei da un amministratore la attende già e non è mai stato attivato.',
  'waiting.expected': 'Se aspettava questo account, scelga qui la password e avrà effettuato l’accesso:',
  'waiting.ask':
    'Se aspettava questo account, apra il link della sua e-mail di attivazione o ne chieda uno nuovo all’amministratore.',
  'waiting.not-you':
    'I suoi amministratori possono vedere ciò che contiene. Se non lo aspettava, lo lasci com’è e avvisi chi gestisce {product}.',
  'notice.why':
    'Riceve questo messaggio per il suo account su {product}, dove sceglie quali di questi messaggi ricevere:',
  'notice.action': 'Vedi i dispositivi',
  'claimed.subject': '{device} ora è suo',
  'claimed.text': '{device} appartiene da ora al suo account su {product}.',
  'given-back.subject': '{device} non è più suo',
  'given-back.text':
    '{device} è stato restituito o ceduto, oppure un amministratore di {product} lo ha tolto dal suo account.',
  'offered.subject': 'Le viene offerto {device}',
  'offered.text':
    'Il proprietario di {device} vuole cederglielo su {product}. Può accettarlo fino al {until}.',
  'offered.no-account':
    'Serve un account con questo indirizzo. Se non conosce un dispositivo simile, non faccia nulla.',
  'take-over.subject': 'Qualcuno vuole prendere {device}',
  'take-over.text':
    'Qualcuno che ha {device} sottomano vuole diventarne proprietario. Se non fa nulla, non sarà più suo dal {until}. Fino ad allora può opporsi:',
  'lost.subject': '{device} è passato ad altri',
  'lost.text': '{device} appartiene ora su {product} a qualcun altro, che lo aveva sottomano.',
  'factory-reset.subject': '{device} è stato ripristinato',
  'factory-reset.text': '{device} è stato ripristinato dal dispositivo stesso e non è più suo.',
  'notice.not-you': 'Se non è corretto, avvisi chi gestisce {product}.',
  'test.subject': 'Una prova di {product}',
  'test.text': 'I messaggi di {product} arrivano.',
};
