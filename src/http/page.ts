import type { Context } from 'koa';
import type { Frame } from '../../views/frame.ts';
import type { Pages } from '../../views/pages.ts';
import type { Views } from '../../views/views.ts';
import type { Csrf } from './csrf.ts';

export type RenderPage = <P extends keyof Pages>(
  ctx: Context,
  page: P,
  data: Pages[P],
  options?: { status?: number; signedInAs?: { name: string; email: string }; frame?: Frame },
) => void;

/** Answers with a page. Never stored by a cache: it holds a form token, and often what only this person may see. */
export function createPageRenderer(deps: { views: Views; csrf: Csrf; webUrl: string }): RenderPage {
  return (ctx, page, data, { status = 200, signedInAs, frame } = {}) => {
    ctx.status = status;
    ctx.type = 'text/html; charset=utf-8';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = deps.views.render(page, data, {
      csrfToken: deps.csrf.token(ctx),
      webUrl: deps.webUrl,
      signedInAs,
      frame,
    });
  };
}

/** Answers a form that was carried out: the browser goes on with a GET, and a reload repeats nothing (RFC 9110 §15.4.4). */
export function seeOther(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
  ctx.set('Cache-Control', 'no-store');
}
