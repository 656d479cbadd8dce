import Router from '@koa/router';
import { seeOther } from '../http/page.ts';
import { notFound } from '../kernel/errors.ts';
import { inAccount } from './frame.ts';
import { createAfterAdding, PASSKEYS, type SecurityPageDeps, TOTP, withReturn } from './security-pages.ts';
import { SECURITY_PATH } from './signed-in-pages.ts';

const CODES = `${SECURITY_PATH}/recovery-codes`;

/** `/account/security`: what a person has to sign in with, the authenticator app, and recovery codes. */
export function securityRoutes(deps: SecurityPageDeps): Router {
  const { pages, secondFactors, csrf, renderPage } = deps;
  const router = new Router();
  const afterAdding = createAfterAdding(deps);

  router.get(
    SECURITY_PATH,
    pages.signedIn(async (ctx, { user }) => {
      const { totp, passkeys, recoveryCodesLeft } = await secondFactors.factorsOf(user.id);
      renderPage(
        ctx,
        'account/security',
        {
          totp,
          passkeys: passkeys.map(({ id, name, createdAt, lastUsedAt }) => ({
            id,
            name,
            createdAt,
            lastUsedAt,
          })),
          recoveryCodesLeft,
          required: ctx.query['required'] === '1',
          done: doneOf(ctx.query['done']),
          totpUrl: withReturn(ctx, TOTP),
          passkeyUrl: withReturn(ctx, PASSKEYS),
        },
        inAccount(user, 'security'),
      );
    }),
  );

  router.get(
    TOTP,
    pages.recently(TOTP, async (ctx, { user }) => {
      if ((await secondFactors.factorsOf(user.id)).totp) return seeOther(ctx, SECURITY_PATH);
      const setup = secondFactors.beginTotp(user);
      renderPage(
        ctx,
        'account/totp',
        { action: withReturn(ctx, TOTP), ...setup },
        inAccount(user, 'security'),
      );
    }),
  );

  router.post(
    TOTP,
    pages.recently(TOTP, async (ctx, who) => {
      const form = await csrf.readForm(ctx);
      const setup = form.get('setup');
      const added = await secondFactors.addTotp(who.user, { setup, code: form.get('code') }, ctx.ip);
      if (added.fault === undefined) return afterAdding(ctx, who, added, ['otp']);
      const again = secondFactors.continueTotp(who.user, setup) ?? secondFactors.beginTotp(who.user);
      const data = { action: withReturn(ctx, TOTP), ...again, error: added.fault };
      renderPage(ctx, 'account/totp', data, { status: 422, ...inAccount(who.user, 'security') });
    }),
  );

  router.get(
    `${TOTP}/remove`,
    pages.recently(`${TOTP}/remove`, async (ctx, { user }) => {
      if (!(await secondFactors.factorsOf(user.id)).totp) throw notFound();
      const data = { action: `${TOTP}/remove`, name: 'the authenticator app' };
      renderPage(ctx, 'account/remove-factor', data, inAccount(user, 'security'));
    }),
  );

  router.post(
    `${TOTP}/remove`,
    pages.recently(`${TOTP}/remove`, async (ctx, { user }) => {
      await csrf.readForm(ctx);
      await secondFactors.removeTotp(user, ctx.ip);
      seeOther(ctx, `${SECURITY_PATH}?done=removed`);
    }),
  );

  router.post(
    CODES,
    pages.recently(SECURITY_PATH, async (ctx, { user }) => {
      await csrf.readForm(ctx);
      const codes = await secondFactors.renewRecoveryCodes(user, ctx.ip);
      const data = { codes, first: false, continueUrl: SECURITY_PATH };
      renderPage(ctx, 'account/recovery-codes', data, inAccount(user, 'security'));
    }),
  );

  return router;
}

const doneOf = (value: unknown): 'added' | 'renamed' | 'removed' | undefined =>
  value === 'added' || value === 'renamed' || value === 'removed' ? value : undefined;
