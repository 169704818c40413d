/** What somebody reads who has asked for a link by mail: that it may be on its way, whoever has the address. */
import type { PropsWithChildren } from 'hono/jsx';
import type { Say } from '../texts/say.ts';

interface Props {
  readonly email: string;
  /** What it is for. */
  readonly words: 'forgot' | 'signUp';
  /** What a label said is kept for the tab in which the link is opened. */
  readonly keepsClaim?: boolean;
  readonly say: Say;
}

export function MailOnItsWay({ email, words, keepsClaim, say, children }: PropsWithChildren<Props>) {
  return (
    <div class="card" data-keep-claim={keepsClaim}>
      <h1>{say('forgot.asked')}</h1>
      <p>
        {say.pieces(`${words}.askedText`, {
          email: (
            <strong>
              <bdi>{email}</bdi>
            </strong>
          ),
        })}
      </p>
      <p class="muted">{say(`${words}.nothing`)}</p>
      {children}
    </div>
  );
}
