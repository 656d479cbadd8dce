import type { Context, Middleware } from 'koa';
import { loggable } from '../kernel/database-failure.ts';
import { type AppError, ERRORS, notFound } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { settleHeaders } from './answer.ts';
import { challengeFor } from './challenge.ts';
import { toAppError } from './errors.ts';
import { isApiRequest, placeOf } from './places.ts';

/** What an error page shows. */
type ProblemView = { status: number; title: string; detail: string; code: string; requestId: string };

export type RenderErrorsDeps = {
  apiUrl: string;
  webUrl: string;
  logger: Logger;
  /** The whole HTML of an error page. */
  renderPage(ctx: Context, problem: ProblemView): string | Promise<string>;
};

/**
 * The one place where an error becomes an answer: application/problem+json (RFC 9457), or a page where a browser
 * asked for one. An answer of 404 that nobody wrote a body for becomes one too. What wasn't meant for the outside is
 * logged under the request's id, and says nothing of itself in the answer.
 */
export function renderErrors(deps: RenderErrorsDeps): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status !== 404 || (ctx.body !== null && ctx.body !== undefined) || ctx.respond === false)
        return;
      throw notFound();
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.status >= 500) logFailure(deps.logger, ctx, error);
      if (ctx.headerSent) {
        ctx.res.destroy(); // half an answer must not look like a whole one
        return;
      }
      await answer(ctx, error, deps);
    }
  };
}

async function answer(
  ctx: Context,
  error: AppError,
  { apiUrl, webUrl, logger, renderPage }: RenderErrorsDeps,
): Promise<void> {
  const { code, status, detail, extras } = error;
  const { title } = ERRORS[code];
  const { requestId } = ctx.state;
  settleHeaders(ctx);
  const forApi = isApiRequest(placeOf(ctx.path), ctx.state.serves);

  for (const header of [
    'Content-Encoding',
    'Content-Length',
    'Content-Disposition',
    'ETag',
    'Last-Modified',
    'Location',
  ])
    ctx.remove(header);
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  if (extras.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(extras.retryAfterSeconds));
  if (extras.dpopNonce) ctx.set('DPoP-Nonce', extras.dpopNonce);
  if (extras.allow) ctx.set('Allow', extras.allow.join(', '));
  const challenge = forApi ? challengeFor(error, apiUrl, ctx.get('Authorization')) : undefined;
  if (challenge) ctx.set('WWW-Authenticate', challenge);

  if (!forApi) ctx.vary('Accept');
  if (!forApi && ctx.accepts('json', 'html') === 'html') {
    try {
      const page = await renderPage(ctx, { status, title, detail, code, requestId });
      ctx.type = 'html';
      ctx.body = page;
      return;
    } catch (failure) {
      logger.error({ requestId, err: loggable(failure) }, 'the error page could not be rendered');
    }
  }
  const { retryAfterSeconds: _, allow: __, dpopNonce: ___, ...members } = extras;
  ctx.body = JSON.stringify({
    type: `${webUrl}/docs/errors/${code}`,
    title,
    status,
    detail,
    code,
    requestId,
    ...members,
  });
  ctx.set('Content-Type', 'application/problem+json'); // after the body: Koa guesses a type for a string
}

function logFailure(logger: Logger, ctx: Context, error: AppError): void {
  const entry = { requestId: ctx.state.requestId, code: error.code, err: loggable(error.cause ?? error) };
  if (error.code === 'internal_error') logger.error(entry, 'a request failed');
  else logger.warn(entry, 'a request could not be served');
}
