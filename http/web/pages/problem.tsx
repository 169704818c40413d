/** Shown instead of a page that cannot be: why, and where to go on. */

const TITLES: Readonly<Record<number, string>> = {
  400: 'That did not work',
  403: 'This is not for your account',
  404: 'There is nothing here',
  429: 'Too many requests',
  503: 'Just a moment',
};

const TEXTS: Readonly<Record<number, string>> = {
  400: 'The request could not be understood.',
  403: 'You are signed in, but this page belongs to somebody with another role.',
  404: 'What you were looking for does not exist, or not any more.',
  429: 'Please wait a little and try again.',
  503: 'The server cannot answer just now. Nothing was lost; please try again in a moment.',
};

export const problemTitle = (status: number): string => TITLES[status] ?? 'Something went wrong';

export function ProblemPage(props: { status: number; message: string | undefined; home: string }) {
  return (
    <div class="card">
      <h1>{problemTitle(props.status)}</h1>
      <p>{props.message ?? TEXTS[props.status]}</p>
      <p>
        <a class="button" href={props.home}>
          Go to the start
        </a>
      </p>
    </div>
  );
}
