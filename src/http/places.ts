import type Router from '@koa/router';
import type { Middleware } from 'koa';
import { notFound } from '../kernel/errors.ts';

/** Which origin a path belongs to; `both` for the probes, undefined for a path that we don't have. */
export type Place = 'api' | 'web' | 'both' | undefined;

/** The first row that matches counts. A `*` at the end takes everything below, and the path itself. */
const PLACES: readonly (readonly [path: string, place: Place])[] = [
  ['/livez', 'both'],
  ['/readyz', 'both'],

  ['/v1/*', 'api'],
  ['/gateway/*', 'api'],
  ['/.well-known/*', 'api'],
  ['/openapi.json', 'api'],
  ['/secret-scanning/report', 'api'],

  ['/oauth/authorize/*', 'web'],
  ['/oauth/interaction/*', 'web'],
  ['/oauth/device/*', 'web'],
  ['/oauth/logout/*', 'web'],
  ['/oauth/*', 'api'],

  ['/', 'web'],
  ['/assets/*', 'web'],
  ['/favicon.ico', 'web'],
  ['/robots.txt', 'web'],
  ['/docs/*', 'web'],
  ['/login', 'web'],
  ['/logout', 'web'],
  ['/signup', 'web'],
  ['/forgot-password', 'web'],
  ['/reset-password', 'web'],
  ['/confirm-email', 'web'],
  ['/account/*', 'web'],
  ['/console/*', 'web'],
];

const ROWS = PLACES.map(([pattern, place]) =>
  pattern.endsWith('/*')
    ? { exact: pattern.slice(0, -2), prefix: pattern.slice(0, -1), place }
    : { exact: pattern, prefix: undefined, place },
);

/** Without regard to case, since the OAuth library's own routes have none. */
export function placeOf(path: string): Place {
  const wanted = path.toLowerCase();
  for (const { exact, prefix, place } of ROWS) {
    if (wanted === exact || (prefix !== undefined && wanted.startsWith(prefix))) return place;
  }
  return undefined;
}

/** A path that is asked for on the other origin is not there. Runs after `checkRequest`, which knows the origin. */
export function places(): Middleware {
  return (ctx, next) => {
    const place = placeOf(ctx.path);
    const { serves } = ctx.state;
    if (place === undefined || (place === 'api' && !serves.api) || (place === 'web' && !serves.web))
      throw notFound();
    return next();
  };
}

/** Asks pages only for what is a page's: to try a hundred patterns is a good part of what a token costs. */
export const ofWeb = (pages: Router): Middleware => {
  const serve = pages.routes();
  const asked: Middleware = (ctx, next) =>
    placeOf(ctx.path) === 'web' ? (serve as unknown as Middleware)(ctx, next) : next();
  return Object.assign(asked, { router: pages }); // as the router's own middleware has it: what walks the routes looks here
};

/** Whether a request is the API's (answers in JSON, refuses plain HTTP) or a page's (answers in HTML, redirects). */
export const isApiRequest = (place: Place, serves: { api: boolean; web: boolean }): boolean =>
  place === undefined ? !serves.web : place !== 'web';
