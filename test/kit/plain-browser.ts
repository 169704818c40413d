/** A browser without a screen and without script, over real HTTP: it follows redirects, keeps cookies and fills in forms. */

interface Shown {
  readonly url: string;
  /** 0: it stopped in front of this address. */
  readonly status: number;
  readonly html: string;
}

export interface PlainBrowser {
  open(url: string): Promise<Shown>;
  /** Sends the first form of a page, or the one that leads to `action`: its hidden fields, and these. */
  submit(shown: Shown, fields: Readonly<Record<string, string>>, action?: string): Promise<Shown>;
}

const REDIRECTS_MAX = 20;

/** @param stopsAt addresses that it does not open */
export function plainBrowser(stopsAt: (url: string) => boolean = () => false): PlainBrowser {
  const cookies = new Map<string, string>();

  async function ask(url: string, init: RequestInit): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, cookie, accept: 'text/html' },
    });
    for (const line of response.headers.getSetCookie()) {
      const pair = line.split(';')[0] ?? '';
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    return response;
  }

  async function follow(from: string, first: RequestInit): Promise<Shown> {
    let url = from;
    let init = first;
    for (let steps = 0; steps < REDIRECTS_MAX; steps += 1) {
      if (stopsAt(url)) return { url, status: 0, html: '' };
      const response = await ask(url, init);
      const html = await response.text();
      const next = response.headers.get('location');
      if (next === null) return { url, status: response.status, html };
      url = new URL(next, url).href;
      init = {};
    }
    throw new Error(`led round in circles: ${url}`);
  }

  return {
    open: (url) => follow(url, {}),
    submit({ url, html }, fields, action) {
      const [form, path = ''] = formOf(html, action);
      const body = new URLSearchParams({ ...Object.fromEntries(hiddenIn(form)), ...fields });
      const headers = { origin: new URL(url).origin };
      return follow(new URL(path, url).href, { method: 'POST', body, headers });
    },
  };
}

/** A form's HTML and where it leads. */
function formOf(html: string, action: string | undefined): readonly [string, string] {
  for (const [form, , to = ''] of html.matchAll(/<form[^>]*?(action="([^"]*)")[\s\S]*?<\/form>/g)) {
    const path = to.replaceAll('&amp;', '&');
    if (action === undefined || path === action) return [form, path];
  }
  throw new Error(`the page has no such form: ${html}`);
}

const hiddenIn = (form: string) =>
  [...form.matchAll(/<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
