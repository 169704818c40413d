/** What mails say, in Japanese. */
import type { en } from './en.ts';

export const ja: Readonly<Record<keyof typeof en, string>> = {
  'account.why': '{product} にアカウントをお持ちのため、このメールをお送りしています。',
  'asked.why':
    '{product} でこのアドレスが入力されたため、このメールをお送りしています。お心当たりがない場合は何もする必要はありません。',
  'reset.subject': '新しいパスワードの設定',
  'reset.text':
    '{product} のアカウントについて新しいパスワードが要求されました。ご本人の場合はこちらから設定してください:',
  'reset.action': '新しいパスワードを設定',
  'reset.until':
    'リンクは {hours, plural, other {# 時間}}以内に一度だけ使えます。それまでは以前のパスワードが有効です。',
  'reset.not-you': 'お心当たりがない場合は何もしないでください。パスワードは変わりません。',
  'activation.subject': '{product} のアカウント',
  'activation.text':
    '{product} にあなたのアカウントが作成されました。こちらでパスワードを設定するとログインできます:',
  'activation.action': 'パスワードを設定',
  'activation.until': 'リンクは {hours, plural, other {# 時間}}以内に一度だけ使えます。',
  'sign-up.subject': '{product} のアカウント',
  'sign-up.text':
    '{product} でこのアドレスのアカウントを作成しようとした方がいます。ご本人の場合は、こちらでパスワードを設定するとログインできます:',
  'sign-up.same-browser': '開始したブラウザーで開いてください。スキャンした内容はそこに残っています。',
  'sign-up.not-you': 'お心当たりがない場合は何もしないでください。アカウントは作成されません。',
  'activated.subject': 'アカウントが有効になりました',
  'activated.text': '{product} のアカウントのパスワードが設定されました。このアドレスでログインします。',
  'activated.action': '{product} へ',
  'changed.subject': 'パスワードが変更されました',
  'changed.text': '{product} のアカウントのパスワードが変更され、他のすべての端末からログアウトされました。',
  'changed.not-you': 'お心当たりがない場合は、すぐに新しいパスワードを設定してください:',
  'changed.by-mail': 'ほかのログイン方法と API キーも削除されました。',
  'sign-in-added.subject': '別のログイン方法が追加されました',
  'sign-in-added.text': '今後は「{provider}」でも {product} のアカウントにログインできます。',
  'address-changed.subject': 'メールアドレスが変更されました',
  'address-changed.text':
    '{product} のアカウントのメールアドレスが変更されました。このアドレスは今後使われません。',
  'address-changed.not-you': 'お心当たりがない場合は {product} の運営者にお知らせください。',
  'taken.subject': 'すでにアカウントがあります',
  'taken.text':
    '{product} でこのアドレスのアカウントを作成しようとした人がいます。すでに存在するため、作成されませんでした。',
  'taken.action': 'ログイン',
  'taken.not-you': 'パスワードをお忘れの場合は、ログインページをご利用ください。',
  'waiting.subject': '有効化を待っているアカウントがあります',
  'waiting.text':
    '{product} でこのアドレスのアカウントを作成しようとした人がいます。管理者があなたのために作成し、まだ有効化されていないアカウントがすでにあるため、作成されませんでした。',
  'waiting.expected': 'そのアカウントに心当たりがある場合は、こちらでパスワードを設定するとログインできます:',
  'waiting.ask':
    'そのアカウントに心当たりがある場合は、有効化メールのリンクを開くか、管理者に新しいリンクを依頼してください。',
  'waiting.not-you':
    'アカウントの内容は管理者も見ることができます。心当たりがない場合はそのままにして、{product} の運営者にお知らせください。',
  'notice.why': '{product} のアカウントについてお送りしています。受け取るメールはアカウントで選べます:',
  'notice.action': 'デバイスを見る',
  'claimed.subject': '{device} があなたのものになりました',
  'claimed.text': '{device} は {product} のあなたのアカウントに属するようになりました。',
  'given-back.subject': '{device} はあなたのものではなくなりました',
  'given-back.text':
    '{device} は返却または譲渡されたか、{product} の管理者によってアカウントから外されました。',
  'offered.subject': '{device} の譲渡の申し出',
  'offered.text':
    '{device} の所有者が {product} であなたに譲渡したいと申し出ています。{until} まで受け取れます。',
  'offered.no-account':
    'このアドレスのアカウントが必要です。そのようなデバイスに心当たりがない場合は何もしないでください。',
  'take-over.subject': '{device} の引き継ぎが求められています',
  'take-over.text':
    '{device} を手元に持つ人が所有者になることを求めています。何もしないと {until} 以降はあなたのものではなくなります。それまでは異議を申し立てられます:',
  'lost.subject': '{device} が引き継がれました',
  'lost.text': '{device} は {product} で、手元に持っていた別の人のものになりました。',
  'factory-reset.subject': '{device} がリセットされました',
  'factory-reset.text': '{device} は本体でリセットされ、あなたのものではなくなりました。',
  'notice.not-you': '正しくない場合は {product} の運営者にお知らせください。',
  'test.subject': '{product} のテスト',
  'test.text': '{product} のメールは届いています。',
};
