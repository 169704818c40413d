/** What mails say, in English: the model of all languages. In ICU form; `product` is the name that the operator gave. */
export const en = {
  'account.why': 'You get this mail because you have an account at {product}.',
  'asked.why':
    'You get this mail because somebody gave this address at {product}. If it was not you, you need do nothing.',
  'reset.subject': 'Choose a new password',
  'reset.text':
    'Somebody asked for a new password for your account at {product}. If it was you, choose one here:',
  'reset.action': 'Choose a new password',
  'reset.until':
    'The link works once, for {hours, plural, one {# hour} other {# hours}}. Until then your old password works.',
  'reset.not-you': 'If it was not you, do nothing: your password stays as it is.',
  'activation.subject': 'Your account at {product}',
  'activation.text':
    'An account was made for you at {product}. Choose your password here, and you are signed in:',
  'activation.action': 'Choose your password',
  'activation.until': 'The link works once, for {hours, plural, one {# hour} other {# hours}}.',
  'activated.subject': 'Your account is active',
  'activated.text':
    'You have chosen a password for your account at {product}. You sign in with this address.',
  'activated.action': 'Go to {product}',
  'changed.subject': 'Your password was changed',
  'changed.text':
    'The password of your account at {product} was changed, and all other devices were signed out.',
  'changed.not-you': 'If it was not you, choose a new password at once:',
  'address-changed.subject': 'Your e-mail address was changed',
  'address-changed.text':
    'Your account at {product} has another e-mail address from now on. This one is not used any more.',
  'address-changed.not-you': 'If it was not you, tell whoever runs {product}.',
  'taken.subject': 'You have an account already',
  'taken.text':
    'Somebody wanted to make an account at {product} with this address. It has one already, so none was made.',
  'taken.action': 'Sign in',
  'taken.not-you': 'If you have forgotten your password, the sign-in page helps.',
  'test.subject': 'A test of {product}',
  'test.text': 'Mails of {product} arrive.',
} as const;
