import { type IncomingHttpHeaders, request } from 'node:http';
import type { ServerProcess } from './server-process.ts';

type Node = Pick<ServerProcess, 'url' | 'port'>;

export type NodeAnswer = { status: number; headers: IncomingHttpHeaders; ms: number; body: string };

/**
 * A request to one process of several that serve one origin, as a load balancer sends it: `Host` says the origin, the port who.
 * With `content` it is a POST, unless `method` says otherwise.
 */
export const send = (
  node: Node,
  path: string,
  headers: Record<string, string | string[]> = {},
  { content, method = content === undefined ? 'GET' : 'POST' }: { content?: string; method?: string } = {},
): Promise<NodeAnswer> =>
  new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const options = {
      host: '127.0.0.1',
      port: node.port,
      path,
      method,
      headers: {
        Host: new URL(node.url).host,
        ...(content === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(content)) }),
        ...headers,
      },
    };
    request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          ms: performance.now() - startedMs,
          body,
        }),
      );
    })
      .on('error', reject)
      .end(content);
  });

export type Asked = {
  credential?: string;
  form?: Record<string, string>;
  json?: object;
  method?: string;
  headers?: Record<string, string>;
};

/** The same for what is answered in JSON. A form is posted; JSON is too, unless `method` says otherwise. */
export async function requestAt<Body = Record<string, unknown>>(
  node: Node,
  path: string,
  { credential, form, json, method, headers = {} }: Asked = {},
): Promise<{ status: number; body: Body }> {
  const content = form ? new URLSearchParams(form).toString() : json && JSON.stringify(json);
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
  const { status, body } = await send(
    node,
    path,
    {
      ...(credential ? { Authorization: `Bearer ${credential}` } : {}),
      ...(content === undefined ? {} : { 'Content-Type': type }),
      ...headers,
    },
    { ...(content === undefined ? {} : { content }), ...(method === undefined ? {} : { method }) },
  );
  return { status, body: (body ? JSON.parse(body) : {}) as Body };
}
