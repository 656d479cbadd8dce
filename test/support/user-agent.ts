import { CookieJar } from 'tough-cookie';

/** A page as a test sees it. */
export type Page = { url: string; status: number; headers: Headers; html: string };

export type UserAgent = {
  jar: CookieJar;
  /** Follows redirects within the site; stops at one that leads elsewhere (the app's callback). */
  open(url: string): Promise<Page & { leftTo?: URL }>;
  /** Posts the page's form (the one whose action ends with `action`, else the first) with its hidden fields and these. */
  submit(
    page: Page,
    fields: Record<string, string | string[]>,
    action?: string,
  ): Promise<Page & { leftTo?: URL }>;
};

/**
 * A browser without a screen or scripts: cookies, redirects and forms, as RFC 6265 and HTML have them. Pages have
 * to work for it, since they work without JavaScript.
 */
export function createUserAgent(site: string, send: typeof fetch = fetch): UserAgent {
  const jar = new CookieJar();

  const request = async (url: string, init: RequestInit = {}): Promise<Page & { leftTo?: URL }> => {
    const response = await send(url, {
      ...init,
      redirect: 'manual',
      headers: {
        Accept: 'text/html',
        ...(init.headers as Record<string, string>),
        Cookie: await jar.getCookieString(url),
      },
    });
    for (const cookie of response.headers.getSetCookie())
      await jar.setCookie(cookie, url, { ignoreError: true });
    const location = response.headers.get('location');
    if (location && response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      const next = new URL(location, url);
      if (next.origin !== new URL(site).origin) {
        return { url, status: response.status, headers: response.headers, html: '', leftTo: next };
      }
      return request(next.href);
    }
    return { url, status: response.status, headers: response.headers, html: await response.text() };
  };

  return {
    jar,
    open: (url) => request(new URL(url, site).href),
    submit: (page, fields, action) => {
      const form = formsOf(page.html).find(
        (found) => !action || found.action.split('?')[0]?.endsWith(action),
      );
      if (!form) throw new Error(`No form${action ? ` to ${action}` : ''} on ${page.url}:\n${page.html}`);
      const body = new URLSearchParams(form.hidden);
      for (const [name, value] of Object.entries(fields)) {
        body.delete(name);
        for (const one of [value].flat()) body.append(name, one);
      }
      return request(new URL(form.action, page.url).href, {
        method: 'POST',
        body,
        headers: { Origin: new URL(site).origin },
      });
    },
  };
}

/** The values of a page's checkboxes of that name that are ticked. */
export const tickedBoxes = (html: string, name: string): string[] =>
  tags(html, 'input')
    .filter(
      (tag) =>
        attribute(tag, 'type') === 'checkbox' &&
        attribute(tag, 'name') === name &&
        /\schecked(\s|=|>|\/)/.test(tag),
    )
    .map((tag) => attribute(tag, 'value') ?? '');

function formsOf(html: string): { action: string; hidden: [string, string][] }[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, opening = '', content = '']) => ({
    action: attribute(opening, 'action') ?? '',
    hidden: tags(content, 'input')
      .filter((tag) => attribute(tag, 'type') === 'hidden')
      .map((tag) => [attribute(tag, 'name') ?? '', attribute(tag, 'value') ?? '']),
  }));
}

const tags = (html: string, name: string): string[] => html.match(new RegExp(`<${name}\\b[^>]*>`, 'g')) ?? [];

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value
    ?.replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
