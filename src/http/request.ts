import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import type { Context, Middleware } from 'koa';
import type { Config } from '../../config/config.ts';
import { networkMatcher } from '../kernel/addresses.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { accessLogOf, type Logger } from '../kernel/log.ts';
import { rawHeaderValues } from '../kernel/raw-headers.ts';
import type { Principal } from '../principals/principal.ts';
import { settleHeaders } from './answer.ts';
import { type Client, readClient } from './client.ts';
import { createHosts, type Serves } from './hosts.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

declare module 'koa' {
  interface DefaultState {
    requestId: string;
    /** Set by `checkRequest`: the origins that this request was sent to. */
    serves: Serves;
    /** Set by the route pipeline once the credential has proved it. */
    principal?: Principal;
  }
}

const CLIENT = Symbol('client');

type WithClient = IncomingMessage & { [CLIENT]?: Client };

const PROBES = new Set(['/livez', '/readyz']);

/**
 * Makes Koa tell the truth: `ctx.ip`, `protocol`, `secure`, `host`, `href` (and so `ctx.URL`) come from what
 * was configured and from trusted proxies, never from what a client may write. The OAuth library builds its URLs from
 * them. Call it once, before the first request, and for each Koa app that makes contexts of its own (the provider is one).
 */
export function prepareApp(
  app: Koa,
  config: Pick<Config, 'apiUrl' | 'webUrl' | 'trustedProxies'>,
  logger: Logger,
): void {
  const isTrusted = networkMatcher(config.trustedProxies);
  const lookUpHost = createHosts(config);
  // Kept with the request, since its socket forgets the peer once it is closed. Not in a WeakMap: the garbage collector
  // would go through one entry a request.
  const clientOf = (req: WithClient): Client => {
    req[CLIENT] ??= readClient(req, isTrusted);
    return req[CLIENT];
  };
  const define = (name: string, get: (this: Koa.Request) => unknown) =>
    Object.defineProperty(app.request, name, { configurable: true, enumerable: true, get });

  app.proxy = false;
  define('ip', function () {
    return clientOf(this.req).ip;
  });
  define('protocol', function () {
    return clientOf(this.req).protocol;
  });
  define('secure', function () {
    return clientOf(this.req).protocol === 'https';
  });
  define('host', function () {
    return lookUpHost(this.req.headers.host ?? '')?.host ?? '';
  });
  define('href', function () {
    return `${this.protocol}://${this.host}${this.originalUrl}`;
  });
  // What Koa can't answer any more: the client went away, or a stream broke after the headers were sent.
  app.on('error', (error: Error) => logger.debug({ err: error.message }, 'an answer could not be finished'));
}

/**
 * The first middleware: gives the request its id, the answer its id and the headers that every answer carries, and writes the
 * one line into the access log, without the query, where a credential may stand. Refuses nothing.
 */
export function requestContext({ logger, clock }: { logger: Logger; clock: Clock }): Middleware {
  const accessLog = accessLogOf(logger);
  return async (ctx, next) => {
    const startedMs = performance.now();
    const requestId = newId('req', clock());
    ctx.state.requestId = requestId;
    ctx.state.serves = { api: false, web: false };
    ctx.state.headers = [...SECURITY_HEADERS, 'X-Request-Id', requestId];
    const { method, path, ip } = ctx; // before anything rewrites them
    ctx.res.once('close', () => {
      const line = {
        method,
        path,
        status: ctx.res.statusCode,
        ms: Math.round(performance.now() - startedMs),
        requestId,
        ip,
        ...(ctx.state.principal ? { principal: ctx.state.principal.id } : {}),
        ...(ctx.res.writableFinished ? {} : { aborted: true }),
      };
      accessLog[PROBES.has(path) ? 'debug' : 'info'](line, 'request');
    });
    await next();
    settleHeaders(ctx);
  };
}

/**
 * Refuses with 400, before anything is looked up or built from it: a Host that isn't ours (or missing, or sent twice;
 * the probes are exempt), and a path or query with NUL or escapes that aren't UTF-8.
 */
export function checkRequest(config: Pick<Config, 'apiUrl' | 'webUrl'>): Middleware {
  const lookUpHost = createHosts(config);
  return (ctx, next) => {
    if (!PROBES.has(ctx.path)) {
      acceptAbsoluteForm(ctx);
      const found =
        rawHeaderValues(ctx.req.rawHeaders, 'host').length === 1 && lookUpHost(ctx.req.headers.host ?? '');
      if (!found) throw new AppError('bad_request', 'The Host header names no host that is served here.');
      ctx.state.serves = found.serves;
    }
    checkUrl(ctx.url);
    return next();
  };
}

/** RFC 9112 §3.2.2: a target may be a whole URL. It has to name the same host as the Host header does. */
function acceptAbsoluteForm(ctx: Context): void {
  if (ctx.url.startsWith('/')) return;
  const url = /^https?:/i.test(ctx.url) ? URL.parse(ctx.url) : null;
  if (url === null || url.username !== '' || url.host !== ctx.get('Host').toLowerCase()) {
    throw new AppError('bad_request', 'The request target must be a path.');
  }
  ctx.url = ctx.originalUrl = ctx.request.originalUrl = url.pathname + url.search;
}

function checkUrl(url: string): void {
  let decoded: string;
  try {
    decoded = decodeURIComponent(url);
  } catch (error) {
    throw new AppError('bad_request', 'The URL holds an escape that is not UTF-8.', {}, { cause: error });
  }
  if (decoded.includes('\0')) throw new AppError('bad_request', 'The URL holds a NUL character.');
  if (!/^[\x21-\x7e]*$/.test(url))
    throw new AppError('bad_request', 'The URL holds a character that must be escaped.');
}
