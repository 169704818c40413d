/** What mails say, in Korean. */
import type { en } from './en.ts';

export const ko: Readonly<Record<keyof typeof en, string>> = {
  'account.why': '{product} 계정이 있어서 이 메일을 보내 드립니다.',
  'asked.why':
    '{product}에서 누군가 이 주소를 입력하여 이 메일을 보내 드립니다. 본인이 아니라면 아무것도 하지 않으셔도 됩니다.',
  'reset.subject': '새 비밀번호 설정',
  'reset.text': '{product} 계정의 새 비밀번호가 요청되었습니다. 본인이라면 여기에서 설정하세요:',
  'reset.action': '새 비밀번호 설정',
  'reset.until':
    '링크는 {hours, plural, other {#시간}} 안에 한 번만 사용할 수 있습니다. 그때까지는 이전 비밀번호가 유효합니다.',
  'reset.not-you': '본인이 아니라면 아무것도 하지 마세요. 비밀번호는 그대로입니다.',
  'activation.subject': '{product} 계정',
  'activation.text': '{product}에 계정이 만들어졌습니다. 여기에서 비밀번호를 설정하면 로그인됩니다:',
  'activation.action': '비밀번호 설정',
  'activation.until': '링크는 {hours, plural, other {#시간}} 안에 한 번만 사용할 수 있습니다.',
  'sign-up.subject': '{product} 계정',
  'sign-up.text':
    '누군가 {product}에서 이 주소로 계정을 만들려고 합니다. 본인이라면 여기에서 비밀번호를 설정하면 로그인됩니다:',
  'sign-up.same-browser': '시작한 브라우저에서 여세요. 스캔한 내용이 그대로 남아 있습니다.',
  'sign-up.not-you': '본인이 아니라면 아무것도 하지 마세요. 계정은 만들어지지 않습니다.',
  'activated.subject': '계정이 활성화되었습니다',
  'activated.text': '{product} 계정의 비밀번호가 설정되었습니다. 이 주소로 로그인합니다.',
  'activated.action': '{product}(으)로 이동',
  'changed.subject': '비밀번호가 변경되었습니다',
  'changed.text': '{product} 계정의 비밀번호가 변경되었고, 다른 모든 기기에서 로그아웃되었습니다.',
  'changed.not-you': '본인이 아니라면 즉시 새 비밀번호를 설정하세요:',
  'changed.by-mail': '다른 로그인 방법과 API 키도 삭제되었습니다.',
  'sign-in-added.subject': '다른 로그인 방법이 추가되었습니다',
  'sign-in-added.text': '이제부터 “{provider}”(으)로도 {product} 계정에 로그인할 수 있습니다.',
  'address-changed.subject': '이메일 주소가 변경되었습니다',
  'address-changed.text':
    '{product} 계정의 이메일 주소가 변경되었습니다. 이 주소는 더 이상 사용되지 않습니다.',
  'address-changed.not-you': '본인이 아니라면 {product} 운영자에게 알려 주세요.',
  'taken.subject': '이미 계정이 있습니다',
  'taken.text':
    '{product}에서 누군가 이 주소로 계정을 만들려고 했습니다. 이미 계정이 있어 만들어지지 않았습니다.',
  'taken.action': '로그인',
  'taken.not-you': '비밀번호를 잊으셨다면 로그인 페이지를 이용하세요.',
  'waiting.subject': '활성화를 기다리는 계정이 있습니다',
  'waiting.text':
    '{product}에서 누군가 이 주소로 계정을 만들려고 했습니다. 관리자가 만들어 둔, 아직 활성화되지 않은 계정이 이미 있어 새로 만들어지지 않았습니다.',
  'waiting.expected': '알고 있던 계정이라면 여기에서 비밀번호를 설정하면 로그인됩니다:',
  'waiting.ask': '알고 있던 계정이라면 활성화 메일의 링크를 열거나 관리자에게 새 링크를 요청하세요.',
  'waiting.not-you':
    '계정의 내용은 관리자도 볼 수 있습니다. 모르는 계정이라면 그대로 두고 {product} 운영자에게 알려 주세요.',
  'notice.why': '{product} 계정 때문에 이 메일을 보내 드립니다. 받을 메일은 계정에서 선택할 수 있습니다:',
  'notice.action': '내 기기 보기',
  'claimed.subject': '{device}의 소유자가 되었습니다',
  'claimed.text': '{device} 기기는 이제 {product}의 내 계정에 속합니다.',
  'given-back.subject': '{device} 기기는 더 이상 내 것이 아닙니다',
  'given-back.text': '{device} 기기가 반환 또는 양도되었거나, {product} 관리자가 계정에서 제외했습니다.',
  'offered.subject': '{device} 양도 제안',
  'offered.text': '{device} 기기의 소유자가 {product}에서 양도하려고 합니다. {until}까지 수락할 수 있습니다.',
  'offered.no-account': '이 주소의 계정이 필요합니다. 이런 기기를 모르신다면 아무것도 하지 마세요.',
  'take-over.subject': '누군가 {device} 기기를 인수하려고 합니다',
  'take-over.text':
    '{device} 기기를 가지고 있는 사람이 소유자가 되려고 합니다. 아무것도 하지 않으면 {until}부터 내 것이 아니게 됩니다. 그때까지 이의를 제기할 수 있습니다:',
  'lost.subject': '{device} 기기가 인수되었습니다',
  'lost.text': '{device} 기기는 이제 {product}에서 이를 가지고 있던 다른 사람의 것입니다.',
  'factory-reset.subject': '{device} 기기가 초기화되었습니다',
  'factory-reset.text': '{device} 기기가 기기 자체에서 초기화되어 더 이상 내 것이 아닙니다.',
  'notice.not-you': '잘못된 일이라면 {product} 운영자에게 알려 주세요.',
  'test.subject': '{product} 테스트',
  'test.text': '{product} 메일이 도착합니다.',
};
