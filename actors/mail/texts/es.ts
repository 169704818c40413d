/** What mails say, in Spanish. */
import type { en } from './en.ts';

export const es: Readonly<Record<keyof typeof en, string>> = {
  'account.why': 'Recibe este mensaje porque tiene una cuenta en {product}.',
  'asked.why':
    'Recibe este mensaje porque alguien dio esta dirección en {product}. Si no fue usted, no tiene que hacer nada.',
  'reset.subject': 'Elija una contraseña nueva',
  'reset.text': 'Alguien pidió una contraseña nueva para su cuenta en {product}. Si fue usted, elíjala aquí:',
  'reset.action': 'Elegir una contraseña nueva',
  'reset.until':
    'El enlace funciona una vez, durante {hours, plural, one {# hora} other {# horas}}. Hasta entonces vale su contraseña anterior.',
  'reset.not-you': 'Si no fue usted, no haga nada: su contraseña sigue igual.',
  'activation.subject': 'Su cuenta en {product}',
  'activation.text':
    'Se ha creado una cuenta para usted en {product}. Elija aquí su contraseña y habrá iniciado sesión:',
  'activation.action': 'Elegir la contraseña',
  'activation.until': 'El enlace funciona una vez, durante {hours, plural, one {# hora} other {# horas}}.',
  'sign-up.subject': 'Su cuenta en {product}',
  'sign-up.text':
    'Alguien quiere crear una cuenta en {product} con esta dirección. Si fue usted, elija aquí su contraseña y habrá iniciado sesión:',
  'sign-up.same-browser': 'Ábralo en el navegador en el que empezó: lo que escaneó sigue allí.',
  'sign-up.not-you': 'Si no fue usted, no haga nada: no hay ninguna cuenta.',
  'activated.subject': 'Su cuenta está activa',
  'activated.text':
    'Ha elegido una contraseña para su cuenta en {product}. Inicie sesión con esta dirección.',
  'activated.action': 'Ir a {product}',
  'changed.subject': 'Su contraseña ha cambiado',
  'changed.text':
    'Se cambió la contraseña de su cuenta en {product} y se cerró la sesión en todos los demás dispositivos.',
  'changed.not-you': 'Si no fue usted, elija enseguida una contraseña nueva:',
  'changed.by-mail': 'También se quitaron las demás formas de entrar y las claves de API.',
  'sign-in-added.subject': 'Se añadió otra forma de iniciar sesión',
  'sign-in-added.text': 'Desde ahora también se puede entrar en su cuenta en {product} con «{provider}».',
  'address-changed.subject': 'Su dirección de correo ha cambiado',
  'address-changed.text':
    'Su cuenta en {product} tiene desde ahora otra dirección de correo. Esta ya no se usa.',
  'address-changed.not-you': 'Si no fue usted, avise a quien gestiona {product}.',
  'taken.subject': 'Ya tiene una cuenta',
  'taken.text':
    'Alguien quiso crear una cuenta en {product} con esta dirección. Ya existe una, así que no se creó ninguna.',
  'taken.action': 'Iniciar sesión',
  'taken.not-you': 'Si olvidó su contraseña, la página de inicio de sesión le ayuda.',
  'waiting.subject': 'Una cuenta le espera',
  'waiting.text':
    'Alguien quiso crear una cuenta en {product} con esta dirección. No se creó ninguna: ya le espera una que un administrador creó para usted y que nunca se activó.',
  'waiting.expected': 'Si esperaba esa cuenta, elija aquí su contraseña y habrá iniciado sesión:',
  'waiting.ask':
    'Si esperaba esa cuenta, abra el enlace de su correo de activación o pida uno nuevo al administrador.',
  'waiting.not-you':
    'Sus administradores pueden ver lo que hay en ella. Si no la esperaba, déjela como está y avise a quien gestiona {product}.',
  'notice.why':
    'Recibe este mensaje por su cuenta en {product}, donde elige cuáles de estos mensajes recibe:',
  'notice.action': 'Ver sus dispositivos',
  'claimed.subject': '{device} es suyo',
  'claimed.text': '{device} pertenece desde ahora a su cuenta en {product}.',
  'given-back.subject': '{device} ya no es suyo',
  'given-back.text':
    '{device} se devolvió o se traspasó, o un administrador de {product} lo quitó de su cuenta.',
  'offered.subject': 'Le ofrecen {device}',
  'offered.text':
    'El propietario de {device} quiere traspasárselo en {product}. Puede aceptarlo hasta el {until}.',
  'offered.no-account':
    'Hace falta una cuenta con esta dirección. Si no conoce ese dispositivo, no haga nada.',
  'take-over.subject': 'Alguien quiere quedarse con {device}',
  'take-over.text':
    'Alguien que tiene {device} a mano quiere ser su propietario. Si no hace nada, dejará de ser suyo a partir del {until}. Hasta entonces puede oponerse:',
  'lost.subject': '{device} ha cambiado de dueño',
  'lost.text': '{device} pertenece ahora en {product} a otra persona que lo tenía a mano.',
  'factory-reset.subject': '{device} se ha restablecido',
  'factory-reset.text': '{device} se restableció en el propio dispositivo y ya no es suyo.',
  'notice.not-you': 'Si no es correcto, avise a quien gestiona {product}.',
  'test.subject': 'Una prueba de {product}',
  'test.text': 'Los mensajes de {product} llegan.',
};
