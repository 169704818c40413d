/** What mails say, in Brazilian Portuguese. */
import type { en } from './en.ts';

export const ptBR: Readonly<Record<keyof typeof en, string>> = {
  'account.why': 'Você recebe esta mensagem porque tem uma conta em {product}.',
  'asked.why':
    'Você recebe esta mensagem porque alguém informou este endereço em {product}. Se não foi você, não precisa fazer nada.',
  'reset.subject': 'Escolha uma nova senha',
  'reset.text': 'Alguém pediu uma nova senha para a sua conta em {product}. Se foi você, escolha-a aqui:',
  'reset.action': 'Escolher uma nova senha',
  'reset.until':
    'O link funciona uma vez, por {hours, plural, one {# hora} other {# horas}}. Até lá vale a senha antiga.',
  'reset.not-you': 'Se não foi você, não faça nada: a sua senha continua a mesma.',
  'activation.subject': 'Sua conta em {product}',
  'activation.text':
    'Uma conta foi criada para você em {product}. Escolha aqui a sua senha e você já estará conectado:',
  'activation.action': 'Escolher a senha',
  'activation.until': 'O link funciona uma vez, por {hours, plural, one {# hora} other {# horas}}.',
  'sign-up.subject': 'Sua conta em {product}',
  'sign-up.text':
    'Alguém quer criar uma conta em {product} com este endereço. Se foi você, escolha aqui a sua senha e você já estará conectado:',
  'sign-up.same-browser': 'Abra-o no navegador em que começou: o que você escaneou ainda está lá.',
  'sign-up.not-you': 'Se não foi você, não faça nada: não há conta alguma.',
  'activated.subject': 'Sua conta está ativa',
  'activated.text': 'Você escolheu uma senha para a sua conta em {product}. Entre com este endereço.',
  'activated.action': 'Ir para {product}',
  'changed.subject': 'Sua senha foi alterada',
  'changed.text':
    'A senha da sua conta em {product} foi alterada, e todos os outros aparelhos foram desconectados.',
  'changed.not-you': 'Se não foi você, escolha já uma nova senha:',
  'changed.by-mail': 'As outras formas de entrar e as chaves de API também foram removidas.',
  'sign-in-added.subject': 'Outra forma de entrar foi adicionada',
  'sign-in-added.text': 'A partir de agora também se pode entrar na sua conta em {product} com “{provider}”.',
  'address-changed.subject': 'Seu endereço de e-mail foi alterado',
  'address-changed.text': 'Sua conta em {product} tem agora outro endereço de e-mail. Este não é mais usado.',
  'address-changed.not-you': 'Se não foi você, avise quem administra {product}.',
  'taken.subject': 'Você já tem uma conta',
  'taken.text':
    'Alguém quis criar uma conta em {product} com este endereço. Já existe uma, por isso nenhuma foi criada.',
  'taken.action': 'Entrar',
  'taken.not-you': 'Se você esqueceu a senha, a página de entrada ajuda.',
  'waiting.subject': 'Uma conta espera por você',
  'waiting.text':
    'Alguém quis criar uma conta em {product} com este endereço. Nenhuma foi criada: uma conta que um administrador criou para você já está à espera e nunca foi ativada.',
  'waiting.expected': 'Se você esperava essa conta, escolha aqui a sua senha e você já estará conectado:',
  'waiting.ask':
    'Se você esperava essa conta, abra o link do e-mail de ativação dela ou peça um novo ao administrador.',
  'waiting.not-you':
    'Os administradores dela podem ver o que há nela. Se você não a esperava, deixe-a como está e avise quem administra {product}.',
  'notice.why':
    'Você recebe esta mensagem por causa da sua conta em {product}, onde escolhe quais destas mensagens recebe:',
  'notice.action': 'Ver seus dispositivos',
  'claimed.subject': '{device} agora é seu',
  'claimed.text': '{device} pertence a partir de agora à sua conta em {product}.',
  'given-back.subject': '{device} não é mais seu',
  'given-back.text':
    '{device} foi devolvido ou repassado, ou um administrador de {product} o tirou da sua conta.',
  'offered.subject': '{device} é oferecido a você',
  'offered.text': 'O dono de {device} quer repassá-lo a você em {product}. Você pode aceitar até {until}.',
  'offered.no-account':
    'É preciso ter uma conta com este endereço. Se você não conhece esse dispositivo, não faça nada.',
  'take-over.subject': 'Alguém quer assumir {device}',
  'take-over.text':
    'Alguém que tem {device} em mãos quer ser o dono. Se você não fizer nada, ele deixa de ser seu a partir de {until}. Até lá você pode se opor:',
  'lost.subject': '{device} foi assumido por outra pessoa',
  'lost.text': '{device} agora pertence em {product} a outra pessoa, que o tinha em mãos.',
  'factory-reset.subject': '{device} foi redefinido',
  'factory-reset.text': '{device} foi redefinido no próprio aparelho e não é mais seu.',
  'notice.not-you': 'Se isso não está certo, avise quem administra {product}.',
  'test.subject': 'Um teste de {product}',
  'test.text': 'As mensagens de {product} chegam.',
};
