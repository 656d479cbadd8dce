import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { AppError } from '../kernel/errors.ts';
import type { Sealer } from '../kernel/sealing.ts';
import { equalInConstantTime } from '../kernel/secret.ts';
import { type Form, readForm } from './forms.ts';

export type Csrf = {
  /** The token for a form on this page; sets the cookie that it belongs to when the browser has none. */
  token(ctx: Context): string;
  /** Reads the posted form, or throws 403 when another site may have sent it. */
  readForm(ctx: Context): Promise<Form>;
};

/**
 * Every form carries a token that is a keyed hash of a random cookie: another site can make a browser send the
 * cookie, but can't read it, nor make the token of one that it planted. Where the browser says who sent the
 * form (Origin, Sec-Fetch-Site), that has to be us too: it stops a planted cookie with its own token.
 */
export function createCsrf(sealer: Sealer, webUrl: string): Csrf {
  const secure = webUrl.startsWith('https:');
  const cookieName = secure ? '__Host-pr_csrf' : 'pr_csrf';
  const tokenFor = (cookie: string): Buffer => sealer.mac(cookie, 'csrf');

  const refuse = (): never => {
    throw new AppError(
      'forbidden',
      'This form has expired or was sent from elsewhere. Go back, reload the page and try again.',
    );
  };

  return {
    token: (ctx) => {
      let cookie = ctx.cookies.get(cookieName);
      if (!cookie || cookie.length > 100) {
        cookie = (ctx.state['csrfCookie'] as string | undefined) ?? randomBytes(24).toString('base64url');
        ctx.state['csrfCookie'] = cookie;
        ctx.cookies.set(cookieName, cookie, {
          httpOnly: true,
          sameSite: 'lax',
          path: '/',
          secure,
          overwrite: true,
        });
      }
      return tokenFor(cookie).toString('base64url');
    },
    readForm: async (ctx) => {
      const origin = ctx.get('Origin');
      if (origin && origin !== webUrl) refuse();
      const site = ctx.get('Sec-Fetch-Site');
      if (site && site !== 'same-origin' && site !== 'none') refuse();
      const form = await readForm(ctx);
      const cookie = ctx.cookies.get(cookieName);
      if (!cookie || !equalInConstantTime(tokenFor(cookie), Buffer.from(form.get('_csrf'), 'base64url')))
        refuse();
      return form;
    },
  };
}
