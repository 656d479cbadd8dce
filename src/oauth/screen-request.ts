import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { readFormText } from '../http/forms.ts';
import { AppError } from '../kernel/errors.ts';
import { rawHeaderValues } from '../kernel/raw-headers.ts';
import { maskToken } from './outside-tokens.ts';
import type { PrepareClient } from './prepare-clients.ts';
import { GRANT_TYPE } from './token-endpoint.ts';

/** Where a token is what is asked about: the library would refuse JWTs there. */
const MANAGES_TOKENS = new Set(['/oauth/introspect', '/oauth/revoke']);

const repeats = (types: string): boolean => new Set(types.split(' ')).size !== types.split(' ').length;

/**
 * RFC 6749 §3.1.1: the order of response types doesn't matter, but each stands once. The library takes
 * "code code" for "code"; made unknown, it answers as for any other type.
 */
export function screenAuthorizationRequest(ctx: Context): void {
  const type = ctx.query['response_type'];
  if (typeof type === 'string' && repeats(type)) {
    ctx.query = { ...ctx.query, response_type: 'repeated' };
  }
}

/**
 * Reads the form before the library does, and lets the library read it again. What isn't a form, or isn't text, is
 * answered here as RFC 6749 §5.2 says. Returns whether to go on.
 */
export async function screenBody(ctx: Context, prepareClient: PrepareClient): Promise<boolean> {
  try {
    if (rawHeaderValues(ctx.req.rawHeaders, 'authorization').length > 1) {
      throw new AppError('bad_request', 'The request carries more than one Authorization header.'); // Node keeps the first
    }
    if (!ctx.get('Content-Type')) return true; // no body: the library says what is missing
    const text = await readFormText(ctx);
    const form = new URLSearchParams(text);
    ctx.state[GRANT_TYPE] = form.get('grant_type');
    await prepareClient(ctx, {
      clientId: form.get('client_id') ?? undefined,
      assertion: form.get('client_assertion') ?? undefined,
    });
    const repeated = repeats(form.get('response_type') ?? '');
    if (repeated) form.set('response_type', 'repeated'); // as at the authorization endpoint
    replayBody(
      ctx.req,
      Buffer.from(MANAGES_TOKENS.has(ctx.path) ? maskToken(text) : repeated ? form.toString() : text),
    );
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.status === 413 || error.status === 429) throw error;
    ctx.status = 400;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { error: 'invalid_request', error_description: error.detail };
    return false;
  }
}

/**
 * The library reads the body through `req.iterator()` when the request is still readable. What was read
 * already is given to it there; handing it a parsed body instead makes it complain on the console.
 */
function replayBody(req: IncomingMessage, body: Buffer): void {
  if (req.headers['content-length'] !== undefined) req.headers['content-length'] = String(body.length);
  Object.defineProperty(req, 'readable', { value: true, configurable: true });
  Object.defineProperty(req, 'iterator', {
    value: async function* () {
      yield body;
    },
  });
}
