import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Site, startSite } from './site.ts';

export const API = 'https://api.example.com';
export const WEB = 'https://www.example.com';

/** The service as in production, with two origins, behind a TLS proxy that is on this machine. */
export const startProductionSite = (): Promise<Site> =>
  startSite({
    NODE_ENV: 'production',
    API_URL: API,
    WEB_URL: WEB,
    SECRET_KEY: Buffer.alloc(32, 3).toString('base64'),
    TRUSTED_PROXIES: '127.0.0.1',
  });

/**
 * A `fetch` for https URLs of a service that stands behind a TLS proxy: it sends what the proxy would, to the
 * service's port on this machine. Never follows redirects.
 */
export function fetchThroughProxy(port: number, headers: Record<string, string> = {}): typeof fetch {
  return async (input, init) => {
    const sent = new Request(input, init);
    const url = new URL(sent.url);
    const body = sent.body ? Buffer.from(await sent.arrayBuffer()) : undefined;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const forwarded = {
        ...Object.fromEntries(sent.headers),
        ...(init?.headers instanceof Headers ? {} : (init?.headers as Record<string, string>)), // Cookie, which Request drops
        Host: url.host,
        'X-Forwarded-Proto': url.protocol.slice(0, -1),
        'X-Forwarded-For': '198.51.100.7',
        ...(body ? { 'Content-Length': String(body.length) } : {}),
        ...headers,
      };
      request(
        { host: '127.0.0.1', port, path: url.pathname + url.search, method: sent.method, headers: forwarded },
        resolve,
      )
        .on('error', reject)
        .end(body);
    });
    const received = new Headers();
    for (let i = 0; i < answer.rawHeaders.length; i += 2) {
      received.append(answer.rawHeaders[i] as string, answer.rawHeaders[i + 1] as string);
    }
    const status = answer.statusCode ?? 500;
    const content = await buffer(answer);
    return new Response(status === 204 || status === 304 ? null : new Uint8Array(content), {
      status,
      headers: received,
    });
  };
}
