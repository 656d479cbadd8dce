/** Which of the two public origins a request may be answered for. Both, when they are one. */
export type Serves = { api: boolean; web: boolean };

export type Urls = {
  /** Origins without a trailing slash. */
  apiUrl: string;
  webUrl: string;
};

/**
 * What a Host header may say: the host of either origin, with or without its scheme's own port. Anything else
 * is undefined: links, redirects and tokens are made from this name, so a stranger's must never get that far.
 */
export function createHosts({
  apiUrl,
  webUrl,
}: Urls): (host: string) => { host: string; serves: Serves } | undefined {
  const known = new Map<string, { host: string; serves: Serves }>();
  for (const origin of [apiUrl, webUrl]) {
    const { host, port, protocol } = new URL(origin);
    const entry = {
      host,
      serves: { api: host === new URL(apiUrl).host, web: host === new URL(webUrl).host },
    };
    known.set(host, entry);
    if (port === '') known.set(`${host}:${protocol === 'https:' ? 443 : 80}`, entry);
  }
  return (host) => known.get(host.toLowerCase());
}
