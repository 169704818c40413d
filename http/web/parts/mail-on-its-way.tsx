/**
 * What somebody reads who has asked for a link by mail: that it may be on its way, whoever has the address. What a label said
 * is kept for the tab in which the link is opened.
 */
import type { PropsWithChildren } from 'hono/jsx';
import type { Say } from '../texts/say.ts';

interface Props {
  readonly email: string;
  /** What it is for. */
  readonly words: 'forgot' | 'signUp';
  readonly say: Say;
}

export function MailOnItsWay({ email, words, say, children }: PropsWithChildren<Props>) {
  return (
    <div class="card" data-keep-claim>
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
