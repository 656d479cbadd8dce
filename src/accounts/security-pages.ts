import type { Context } from 'koa';
import type { Csrf } from '../http/csrf.ts';
import { type RenderPage, seeOther } from '../http/page.ts';
import { safeReturnTo, withReturnTo } from '../http/return-to.ts';
import { inAccount } from './frame.ts';
import type { Added, SecondFactors } from './second-factors.ts';
import { type PageSession, SECURITY_PATH, type SignedIn, type SignedInPages } from './signed-in-pages.ts';

/** What the pages of `/account/security` need: security-routes.ts and passkey-routes.ts. */
export type SecurityPageDeps = {
  pages: SignedInPages;
  secondFactors: SecondFactors;
  csrf: Csrf;
  renderPage: RenderPage;
  restart(ctx: Context, session: PageSession): Promise<void>;
};

export const TOTP = `${SECURITY_PATH}/totp`;
export const PASSKEYS = `${SECURITY_PATH}/passkeys`;

/** A path, with the one that the person came from and will go on to. */
export const withReturn = (ctx: Context, path: string): string =>
  withReturnTo(path, safeReturnTo(ctx.query['returnTo']));

/** After the first factor every session is over: this one begins anew, as one that has shown it. */
export const createAfterAdding =
  (deps: Pick<SecurityPageDeps, 'renderPage' | 'restart'>) =>
  async (
    ctx: Context,
    { user, session }: SignedIn,
    added: Extract<Added, { fault?: undefined }>,
    methods: readonly string[],
  ): Promise<void> => {
    const continueUrl = safeReturnTo(ctx.query['returnTo']) || SECURITY_PATH;
    if (!added.recoveryCodes) {
      return seeOther(ctx, continueUrl === SECURITY_PATH ? `${SECURITY_PATH}?done=added` : continueUrl);
    }
    const shown = new Set([...session.methods, ...methods, 'mfa']);
    await deps.restart(ctx, { ...session, methods: [...shown] });
    deps.renderPage(
      ctx,
      'account/recovery-codes',
      { codes: added.recoveryCodes, first: true, continueUrl },
      inAccount(user, 'security'),
    );
  };
