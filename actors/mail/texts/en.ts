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
  'sign-up.subject': 'Your account at {product}',
  'sign-up.text':
    'Somebody wants to create an account at {product} with this address. If it was you, choose your password here, and you are signed in:',
  'sign-up.same-browser': 'Open it in the browser in which you began: what you scanned is still there.',
  'sign-up.not-you': 'If it was not you, do nothing: there is no account.',
  'activated.subject': 'Your account is active',
  'activated.text':
    'You have chosen a password for your account at {product}. You sign in with this address.',
  'activated.action': 'Go to {product}',
  'changed.subject': 'Your password was changed',
  'changed.text':
    'The password of your account at {product} was changed, and all other devices were signed out.',
  'changed.not-you': 'If it was not you, choose a new password at once:',
  'changed.by-mail': 'Other ways to sign in and API keys were removed, too.',
  'sign-in-added.subject': 'Another way to sign in was added',
  'sign-in-added.text': 'From now on one can sign in to your account at {product} with “{provider}”, too.',
  'address-changed.subject': 'Your e-mail address was changed',
  'address-changed.text':
    'Your account at {product} has another e-mail address from now on. This one is not used any more.',
  'address-changed.not-you': 'If it was not you, tell whoever runs {product}.',
  'taken.subject': 'You have an account already',
  'taken.text':
    'Somebody wanted to make an account at {product} with this address. It has one already, so none was made.',
  'taken.action': 'Sign in',
  'taken.not-you': 'If you have forgotten your password, the sign-in page helps.',
  'waiting.subject': 'An account waits for you',
  'waiting.text':
    'Somebody wanted to make an account at {product} with this address. None was made: one that an administrator made for you waits already, and was never activated.',
  'waiting.expected': 'If you expected that account, choose your password here, and you are signed in:',
  'waiting.ask':
    'If you expected that account, open the link of its activation mail, or ask the administrator for a new one.',
  'waiting.not-you':
    'Its administrators can see what is in it. If you did not expect it, leave it as it is, and tell whoever runs {product}.',
  'notice.why':
    'You get this mail because of your account at {product}, where you choose which of these mails you get:',
  'notice.action': 'Look at your devices',
  'claimed.subject': '{device} is yours now',
  'claimed.text': '{device} belongs to your account at {product} from now on.',
  'given-back.subject': '{device} is not yours any more',
  'given-back.text':
    '{device} was given back or handed over, or an administrator of {product} took it out of your account.',
  'offered.subject': '{device} is offered to you',
  'offered.text':
    'The owner of {device} wants to hand it over to you at {product}. You can accept it until {until}.',
  'offered.no-account':
    'It takes an account with this address. If you do not know of any such device, do nothing.',
  'take-over.subject': 'Somebody wants to take {device} over',
  'take-over.text':
    'Somebody who has {device} at hand wants to become its owner. If you do nothing, it is not yours any more from {until} on. Until then you can object:',
  'lost.subject': '{device} was taken over',
  'lost.text': '{device} belongs to somebody else at {product} now, who had it at hand.',
  'factory-reset.subject': '{device} was reset',
  'factory-reset.text': '{device} was reset at the device itself, and is not yours any more.',
  'notice.not-you': 'If that is not right, tell whoever runs {product}.',
  'test.subject': 'A test of {product}',
  'test.text': 'Mails of {product} arrive.',
} as const;
