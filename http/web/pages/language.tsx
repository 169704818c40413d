/** The choice of a language, at the foot of every page: kept by the browser, and for who is signed in with the user. */
import { userView } from '../../views/user.ts';
import { languageNamed, thingsBoardTag } from '../language.ts';
import type { Page } from '../page.ts';
import { refusalWords } from '../refusal-words.ts';
import { nextOf } from './login.tsx';

export const languagePages: readonly Page[] = [
  {
    path: '/language',
    roles: ['PUBLIC'],
    async post({ form, session, locale }) {
      const to = nextOf(form.text('next'));
      const language = languageNamed(form.text('lang'));
      if (language === undefined) return { type: 'see-other', to };
      // The user of a public customer is nobody: there is nothing to keep it with.
      if (session !== undefined && session.user.firstName !== 'Public') {
        const { id, email, authority, firstName, lastName, phone, additionalInfo } = session.user;
        const info = { ...additionalInfo, lang: thingsBoardTag(language) };
        const fields = { id, email, authority, firstName, lastName, phone, additionalInfo: info };
        const kept = await session.api.post('/api/user', fields, userView);
        if (kept.type === 'refused')
          return {
            type: 'see-other',
            to,
            language,
            notice: { kind: 'bad', text: refusalWords(kept, locale.say) },
          };
      }
      return { type: 'see-other', to, language };
    },
  },
];
