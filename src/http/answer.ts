import type { Context } from 'koa';

declare module 'koa' {
  interface DefaultState {
    /** Names and values in turn, of headers that the answer will carry whatever it is. `settleHeaders` empties it. */
    headers: string[];
  }
}

/** Of several with one name the last counts. */
export const addHeader = (ctx: Pick<Context, 'state'>, name: string, value: string): void => {
  ctx.state.headers.push(name, value);
};

/** Sets the headers that were gathered. For all that answers through Koa, and for who reads what is set so far. */
export function settleHeaders({ state, res }: Pick<Context, 'state' | 'res'>): void {
  const { headers } = state;
  for (let i = 0; i < headers.length; i += 2) res.setHeader(headers[i] as string, headers[i + 1] as string);
  state.headers = [];
}

/**
 * Answers with JSON, or with nothing where `value` is undefined, and with the gathered headers, in one go past Koa's own
 * answering: Node takes the list as it is, which is much cheaper than to set fifteen headers one after the other. No name
 * may have been gathered twice.
 */
export function sendJson(ctx: Context, status: number, value: unknown): void {
  const text = value === undefined ? undefined : JSON.stringify(value);
  const { headers } = ctx.state;
  if (text !== undefined) {
    headers.push('Content-Type', 'application/json; charset=utf-8');
    headers.push('Content-Length', String(Buffer.byteLength(text)));
  }
  ctx.state.headers = [];
  ctx.respond = false;
  ctx.res.writeHead(status, headers).end(text);
}
