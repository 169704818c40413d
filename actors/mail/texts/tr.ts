/** What mails say, in Turkish. */
import type { en } from './en.ts';

export const tr: Readonly<Record<keyof typeof en, string>> = {
  'account.why': 'Bu iletiyi {product} hesabınız olduğu için alıyorsunuz.',
  'asked.why':
    'Bu iletiyi birisi {product} üzerinde bu adresi verdiği için alıyorsunuz. Siz değilseniz bir şey yapmanız gerekmez.',
  'reset.subject': 'Yeni bir parola seçin',
  'reset.text': 'Birisi {product} hesabınız için yeni bir parola istedi. Sizseniz buradan seçin:',
  'reset.action': 'Yeni parola seç',
  'reset.until':
    'Bağlantı bir kez, {hours, plural, one {# saat} other {# saat}} boyunca çalışır. O zamana kadar eski parolanız geçerlidir.',
  'reset.not-you': 'Siz değilseniz bir şey yapmayın: parolanız aynı kalır.',
  'activation.subject': '{product} hesabınız',
  'activation.text':
    '{product} üzerinde sizin için bir hesap açıldı. Parolanızı buradan seçin, oturumunuz açılsın:',
  'activation.action': 'Parolanızı seçin',
  'activation.until': 'Bağlantı bir kez, {hours, plural, one {# saat} other {# saat}} boyunca çalışır.',
  'sign-up.subject': '{product} hesabınız',
  'sign-up.text':
    'Birisi {product} üzerinde bu adresle bir hesap açmak istiyor. Sizseniz parolanızı buradan seçin, oturumunuz açılsın:',
  'sign-up.same-browser': 'Başladığınız tarayıcıda açın: taradığınız şey hâlâ orada.',
  'sign-up.not-you': 'Siz değilseniz bir şey yapmayın: hesap yok.',
  'activated.subject': 'Hesabınız etkin',
  'activated.text': '{product} hesabınız için bir parola seçtiniz. Bu adresle oturum açarsınız.',
  'activated.action': '{product} sayfasına git',
  'changed.subject': 'Parolanız değiştirildi',
  'changed.text': '{product} hesabınızın parolası değiştirildi ve diğer tüm cihazlarda oturum kapatıldı.',
  'changed.not-you': 'Siz değilseniz hemen yeni bir parola seçin:',
  'changed.by-mail': 'Diğer oturum açma yolları ve API anahtarları da kaldırıldı.',
  'sign-in-added.subject': 'Başka bir oturum açma yolu eklendi',
  'sign-in-added.text': 'Artık {product} hesabınıza “{provider}” ile de oturum açılabilir.',
  'address-changed.subject': 'E-posta adresiniz değiştirildi',
  'address-changed.text':
    '{product} hesabınızın artık başka bir e-posta adresi var. Bu adres artık kullanılmıyor.',
  'address-changed.not-you': 'Siz değilseniz {product} işletmecisine haber verin.',
  'taken.subject': 'Zaten bir hesabınız var',
  'taken.text':
    'Birisi {product} üzerinde bu adresle hesap açmak istedi. Zaten bir hesap olduğu için yenisi açılmadı.',
  'taken.action': 'Oturum aç',
  'taken.not-you': 'Parolanızı unuttuysanız oturum açma sayfası yardımcı olur.',
  'waiting.subject': 'Sizi bekleyen bir hesap var',
  'waiting.text':
    'Birisi {product} üzerinde bu adresle hesap açmak istedi. Yeni hesap açılmadı: bir yöneticinin sizin için açtığı ve hiç etkinleştirilmemiş bir hesap zaten bekliyor.',
  'waiting.expected': 'Bu hesabı bekliyorduysanız parolanızı buradan seçin, oturumunuz açılsın:',
  'waiting.ask':
    'Bu hesabı bekliyorduysanız etkinleştirme e-postasındaki bağlantıyı açın veya yöneticiden yenisini isteyin.',
  'waiting.not-you':
    'Yöneticileri hesabın içindekileri görebilir. Beklemiyorduysanız olduğu gibi bırakın ve {product} işletmecisine haber verin.',
  'notice.why':
    'Bu iletiyi {product} hesabınız nedeniyle alıyorsunuz; hangi iletileri alacağınızı orada seçersiniz:',
  'notice.action': 'Cihazlarınıza bakın',
  'claimed.subject': '{device} artık sizin',
  'claimed.text': '{device} bundan böyle {product} hesabınıza ait.',
  'given-back.subject': '{device} artık sizin değil',
  'given-back.text':
    '{device} geri verildi ya da devredildi veya bir {product} yöneticisi onu hesabınızdan çıkardı.',
  'offered.subject': '{device} size öneriliyor',
  'offered.text':
    '{device} sahibi onu {product} üzerinde size devretmek istiyor. {until} tarihine kadar kabul edebilirsiniz.',
  'offered.no-account':
    'Bunun için bu adresle bir hesap gerekir. Böyle bir cihaz bilmiyorsanız bir şey yapmayın.',
  'take-over.subject': 'Birisi {device} cihazını devralmak istiyor',
  'take-over.text':
    '{device} cihazı elinde olan birisi sahibi olmak istiyor. Bir şey yapmazsanız {until} itibarıyla sizin olmaktan çıkar. O zamana kadar itiraz edebilirsiniz:',
  'lost.subject': '{device} devralındı',
  'lost.text': '{device} artık {product} üzerinde, onu elinde bulunduran bir başkasına ait.',
  'factory-reset.subject': '{device} sıfırlandı',
  'factory-reset.text': '{device} cihazın kendisinde sıfırlandı ve artık sizin değil.',
  'notice.not-you': 'Bu doğru değilse {product} işletmecisine haber verin.',
  'test.subject': '{product} denemesi',
  'test.text': '{product} iletileri ulaşıyor.',
};
