/** What mails say, in French. */
import type { en } from './en.ts';

export const fr: Readonly<Record<keyof typeof en, string>> = {
  'account.why': 'Vous recevez ce message parce que vous avez un compte chez {product}.',
  'asked.why':
    'Vous recevez ce message parce que quelqu’un a donné cette adresse chez {product}. Si ce n’était pas vous, vous n’avez rien à faire.',
  'reset.subject': 'Choisir un nouveau mot de passe',
  'reset.text':
    'Quelqu’un a demandé un nouveau mot de passe pour votre compte chez {product}. Si c’était vous, choisissez-le ici :',
  'reset.action': 'Choisir un nouveau mot de passe',
  'reset.until':
    'Le lien fonctionne une fois, pendant {hours, plural, one {# heure} other {# heures}}. Jusque-là, votre ancien mot de passe reste valable.',
  'reset.not-you': 'Si ce n’était pas vous, ne faites rien : votre mot de passe reste le même.',
  'activation.subject': 'Votre compte chez {product}',
  'activation.text':
    'Un compte a été créé pour vous chez {product}. Choisissez ici votre mot de passe, et vous serez connecté :',
  'activation.action': 'Choisir votre mot de passe',
  'activation.until': 'Le lien fonctionne une fois, pendant {hours, plural, one {# heure} other {# heures}}.',
  'sign-up.subject': 'Votre compte chez {product}',
  'sign-up.text':
    'Quelqu’un souhaite créer un compte chez {product} avec cette adresse. Si c’était vous, choisissez ici votre mot de passe, et vous serez connecté :',
  'sign-up.same-browser':
    'Ouvrez-le dans le navigateur où vous avez commencé : ce que vous avez scanné y est encore.',
  'sign-up.not-you': 'Si ce n’était pas vous, ne faites rien : aucun compte n’existe.',
  'activated.subject': 'Votre compte est actif',
  'activated.text':
    'Vous avez choisi un mot de passe pour votre compte chez {product}. Vous vous connectez avec cette adresse.',
  'activated.action': 'Aller à {product}',
  'changed.subject': 'Votre mot de passe a été modifié',
  'changed.text':
    'Le mot de passe de votre compte chez {product} a été modifié, et tous les autres appareils ont été déconnectés.',
  'changed.not-you': 'Si ce n’était pas vous, choisissez tout de suite un nouveau mot de passe :',
  'changed.by-mail': 'Les autres moyens de connexion et les clés d’API ont aussi été supprimés.',
  'sign-in-added.subject': 'Un autre moyen de connexion a été ajouté',
  'sign-in-added.text':
    'On peut désormais se connecter à votre compte chez {product} avec « {provider} » aussi.',
  'address-changed.subject': 'Votre adresse e-mail a été modifiée',
  'address-changed.text':
    'Votre compte chez {product} a désormais une autre adresse e-mail. Celle-ci n’est plus utilisée.',
  'address-changed.not-you': 'Si ce n’était pas vous, prévenez l’exploitant de {product}.',
  'taken.subject': 'Vous avez déjà un compte',
  'taken.text':
    'Quelqu’un a voulu créer un compte chez {product} avec cette adresse. Il en existe déjà un, donc aucun n’a été créé.',
  'taken.action': 'Se connecter',
  'taken.not-you': 'Si vous avez oublié votre mot de passe, la page de connexion vous aide.',
  'waiting.subject': 'Un compte vous attend',
  'waiting.text':
    'Quelqu’un a voulu créer un compte chez {product} avec cette adresse. Aucun n’a été créé : un compte créé pour vous par un administrateur attend déjà et n’a jamais été activé.',
  'waiting.expected':
    'Si vous attendiez ce compte, choisissez ici votre mot de passe, et vous serez connecté :',
  'waiting.ask':
    'Si vous attendiez ce compte, ouvrez le lien de son e-mail d’activation, ou demandez-en un nouveau à l’administrateur.',
  'waiting.not-you':
    'Ses administrateurs voient ce qu’il contient. Si vous ne l’attendiez pas, laissez-le tel quel et prévenez l’exploitant de {product}.',
  'notice.why':
    'Vous recevez ce message en raison de votre compte chez {product}, où vous choisissez lesquels de ces messages vous recevez :',
  'notice.action': 'Voir vos appareils',
  'claimed.subject': '{device} est à vous',
  'claimed.text': '{device} appartient désormais à votre compte chez {product}.',
  'given-back.subject': '{device} n’est plus à vous',
  'given-back.text':
    '{device} a été rendu ou cédé, ou un administrateur de {product} l’a retiré de votre compte.',
  'offered.subject': '{device} vous est proposé',
  'offered.text':
    'Le propriétaire de {device} veut vous le céder chez {product}. Vous pouvez l’accepter jusqu’au {until}.',
  'offered.no-account':
    'Il faut un compte avec cette adresse. Si vous ne connaissez pas cet appareil, ne faites rien.',
  'take-over.subject': 'Quelqu’un veut reprendre {device}',
  'take-over.text':
    'Quelqu’un qui a {device} sous la main veut en devenir propriétaire. Si vous ne faites rien, il ne sera plus à vous à partir du {until}. Jusque-là, vous pouvez vous y opposer :',
  'lost.subject': '{device} a été repris',
  'lost.text': '{device} appartient maintenant à quelqu’un d’autre chez {product}, qui l’avait sous la main.',
  'factory-reset.subject': '{device} a été réinitialisé',
  'factory-reset.text': '{device} a été réinitialisé sur l’appareil même et n’est plus à vous.',
  'notice.not-you': 'Si ce n’est pas normal, prévenez l’exploitant de {product}.',
  'test.subject': 'Un essai de {product}',
  'test.text': 'Les messages de {product} arrivent.',
};
