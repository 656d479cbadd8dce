import Router from '@koa/router';
import { seeOther } from '../http/page.ts';
import { TRY_CALLBACK } from './try-pages.ts';
import type { TryStates } from './try-state.ts';

const ANSWERS = ['code', 'state', 'iss', 'error', 'error_description'];

/**
 * Where the flow of an app that is tried ends: one address for all apps, since it is registered letter by letter. Goes on
 * to the app's own page, which judges what came. Nothing is done with the code here.
 */
export function tryCallback(tryStates: TryStates): Router {
  const router = new Router();
  router.get(TRY_CALLBACK, (ctx) => {
    const begun = tryStates.find(ctx);
    if (!begun) return seeOther(ctx, '/console');
    const query = new URLSearchParams();
    for (const name of ANSWERS) {
      const value = ctx.query[name];
      if (typeof value === 'string') query.set(name, value);
    }
    seeOther(ctx, `${begun.appPath}/try/result?${query.toString()}`);
  });
  return router;
}
