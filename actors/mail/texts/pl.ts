/** What mails say, in Polish. */
import type { en } from './en.ts';

export const pl: Readonly<Record<keyof typeof en, string>> = {
  'account.why': 'Otrzymujesz tę wiadomość, ponieważ masz konto w {product}.',
  'asked.why':
    'Otrzymujesz tę wiadomość, ponieważ ktoś podał ten adres w {product}. Jeśli to nie Ty, nie musisz nic robić.',
  'reset.subject': 'Wybierz nowe hasło',
  'reset.text': 'Ktoś poprosił o nowe hasło do Twojego konta w {product}. Jeśli to Ty, wybierz je tutaj:',
  'reset.action': 'Wybierz nowe hasło',
  'reset.until':
    'Link działa raz, przez {hours, plural, one {# godzinę} few {# godziny} many {# godzin} other {# godziny}}. Do tego czasu działa stare hasło.',
  'reset.not-you': 'Jeśli to nie Ty, nic nie rób: hasło pozostanie bez zmian.',
  'activation.subject': 'Twoje konto w {product}',
  'activation.text': 'Utworzono dla Ciebie konto w {product}. Wybierz tutaj hasło, a zostaniesz zalogowany:',
  'activation.action': 'Wybierz hasło',
  'activation.until':
    'Link działa raz, przez {hours, plural, one {# godzinę} few {# godziny} many {# godzin} other {# godziny}}.',
  'sign-up.subject': 'Twoje konto w {product}',
  'sign-up.text':
    'Ktoś chce utworzyć konto w {product} z tym adresem. Jeśli to Ty, wybierz tutaj hasło, a zostaniesz zalogowany:',
  'sign-up.same-browser': 'Otwórz go w przeglądarce, w której zaczęto: to, co zeskanowano, nadal tam jest.',
  'sign-up.not-you': 'Jeśli to nie Ty, nic nie rób: konto nie istnieje.',
  'activated.subject': 'Twoje konto jest aktywne',
  'activated.text': 'Hasło do Twojego konta w {product} zostało wybrane. Logujesz się tym adresem.',
  'activated.action': 'Przejdź do {product}',
  'changed.subject': 'Twoje hasło zostało zmienione',
  'changed.text':
    'Hasło do Twojego konta w {product} zostało zmienione, a wszystkie inne urządzenia zostały wylogowane.',
  'changed.not-you': 'Jeśli to nie Ty, natychmiast wybierz nowe hasło:',
  'changed.by-mail': 'Usunięto także inne sposoby logowania i klucze API.',
  'sign-in-added.subject': 'Dodano inny sposób logowania',
  'sign-in-added.text': 'Od teraz do Twojego konta w {product} można się zalogować także przez „{provider}”.',
  'address-changed.subject': 'Twój adres e-mail został zmieniony',
  'address-changed.text': 'Twoje konto w {product} ma odtąd inny adres e-mail. Ten nie jest już używany.',
  'address-changed.not-you': 'Jeśli to nie Ty, powiadom operatora {product}.',
  'taken.subject': 'Masz już konto',
  'taken.text':
    'Ktoś chciał utworzyć konto w {product} z tym adresem. Takie konto już istnieje, więc nie utworzono nowego.',
  'taken.action': 'Zaloguj się',
  'taken.not-you': 'Jeśli nie pamiętasz hasła, pomoże strona logowania.',
  'waiting.subject': 'Czeka na Ciebie konto',
  'waiting.text':
    'Ktoś chciał utworzyć konto w {product} z tym adresem. Nie utworzono go: konto, które założył dla Ciebie administrator, już czeka i nigdy nie zostało aktywowane.',
  'waiting.expected': 'Jeśli spodziewasz się tego konta, wybierz tutaj hasło, a zostaniesz zalogowany:',
  'waiting.ask':
    'Jeśli spodziewasz się tego konta, otwórz link z jego wiadomości aktywacyjnej albo poproś administratora o nowy.',
  'waiting.not-you':
    'Jego administratorzy widzą, co się w nim znajduje. Jeśli się go nie spodziewasz, zostaw je bez zmian i powiadom operatora {product}.',
  'notice.why':
    'Otrzymujesz tę wiadomość z powodu konta w {product}, gdzie wybierasz, które z tych wiadomości dostajesz:',
  'notice.action': 'Zobacz swoje urządzenia',
  'claimed.subject': '{device} należy teraz do Ciebie',
  'claimed.text': '{device} należy odtąd do Twojego konta w {product}.',
  'given-back.subject': '{device} już do Ciebie nie należy',
  'given-back.text':
    'Urządzenie {device} zostało zwrócone lub przekazane albo administrator {product} usunął je z Twojego konta.',
  'offered.subject': 'Oferują Ci {device}',
  'offered.text': 'Właściciel {device} chce przekazać Ci je w {product}. Możesz je przyjąć do {until}.',
  'offered.no-account':
    'Potrzebne jest konto z tym adresem. Jeśli nie znasz takiego urządzenia, nic nie rób.',
  'take-over.subject': 'Ktoś chce przejąć {device}',
  'take-over.text':
    'Ktoś, kto ma {device} pod ręką, chce zostać właścicielem. Jeśli nic nie zrobisz, od {until} nie będzie już należeć do Ciebie. Do tego czasu możesz się sprzeciwić:',
  'lost.subject': '{device} zostało przejęte',
  'lost.text': '{device} należy teraz w {product} do kogoś innego, kto miał je pod ręką.',
  'factory-reset.subject': '{device} zostało zresetowane',
  'factory-reset.text': '{device} zostało zresetowane na samym urządzeniu i już do Ciebie nie należy.',
  'notice.not-you': 'Jeśli to pomyłka, powiadom operatora {product}.',
  'test.subject': 'Test {product}',
  'test.text': 'Wiadomości z {product} docierają.',
};
