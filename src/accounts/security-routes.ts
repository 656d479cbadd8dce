import Router from '@koa/router';
import type { Context } from 'koa';
import type { Csrf } from '../http/csrf.ts';
import { type RenderPage, seeOther } from '../http/page.ts';
import { safeReturnTo, withReturnTo } from '../http/return-to.ts';
import { notFound } from '../kernel/errors.ts';
import { isId } from '../kernel/ids.ts';
import { displayName } from '../kernel/schemas.ts';
import { inAccount } from './frame.ts';
import type { Passkey } from './second-factor.ts';
import type { Added, SecondFactors } from './second-factors.ts';
import { type PageSession, SECURITY_PATH, type SignedIn, type SignedInPages } from './signed-in-pages.ts';

export type SecurityPageDeps = {
  pages: SignedInPages;
  secondFactors: SecondFactors;
  csrf: Csrf;
  renderPage: RenderPage;
  restart(ctx: Context, session: PageSession): Promise<void>;
};

/** `/account/security`: second factors and passkeys; adds, renames and removes them. */
export function securityRoutes(deps: SecurityPageDeps): Router {
  const { pages, secondFactors, csrf, renderPage } = deps;
  const router = new Router();

  /** After the first factor every session is over: this one begins anew, as one that has shown it. */
  const afterAdding = async (
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
    renderPage(
      ctx,
      'account/recovery-codes',
      { codes: added.recoveryCodes, first: true, continueUrl },
      inAccount(user, 'security'),
    );
  };

  const withReturn = (ctx: Context, path: string): string =>
    withReturnTo(path, safeReturnTo(ctx.query['returnTo']));

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

  const TOTP = `${SECURITY_PATH}/totp`;
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

  const PASSKEYS = `${SECURITY_PATH}/passkeys`;
  const showPasskey = async (ctx: Context, { user }: SignedIn, error?: string): Promise<void> => {
    const passkey = await secondFactors.beginPasskey(user);
    const data = { action: withReturn(ctx, PASSKEYS), passkey, error };
    renderPage(ctx, 'account/passkey', data, { status: error ? 422 : 200, ...inAccount(user, 'security') });
  };

  router.get(
    PASSKEYS,
    pages.recently(PASSKEYS, (ctx, who) => showPasskey(ctx, who)),
  );

  router.post(
    PASSKEYS,
    pages.recently(PASSKEYS, async (ctx, who) => {
      const form = await csrf.readForm(ctx);
      const answer = {
        challenge: form.get('challenge'),
        credential: form.get('credential'),
        name: form.get('name'),
      };
      const added = await secondFactors.addPasskey(who.user, answer, ctx.ip);
      if (added.fault !== undefined) return showPasskey(ctx, who, added.fault);
      await afterAdding(ctx, who, added, ['pop']);
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

  const passkeyOf = async (ctx: Context, { user }: SignedIn): Promise<Passkey> => {
    const { passkeys } = await secondFactors.factorsOf(user.id);
    const passkey = passkeys.find(({ id }) => id === ctx['params'].id);
    if (!passkey) throw notFound();
    return passkey;
  };

  const showName = (ctx: Context, { user }: SignedIn, { id, name }: Passkey, typed = name, error?: string) =>
    renderPage(
      ctx,
      'account/passkey-name',
      { action: `${PASSKEYS}/${id}/name`, present: name, name: typed, error },
      { status: error ? 422 : 200, ...inAccount(user, 'security') },
    );

  const NAME_PASSKEY = `${PASSKEYS}/:id/name`;
  router.get(
    NAME_PASSKEY,
    pages.signedIn(async (ctx, who) => showName(ctx, who, await passkeyOf(ctx, who))),
  );

  router.post(
    NAME_PASSKEY,
    pages.signedIn(async (ctx, who) => {
      const form = await csrf.readForm(ctx);
      const passkey = await passkeyOf(ctx, who);
      const typed = form.get('name');
      const name = displayName.safeParse(typed.trim());
      if (!name.success) return showName(ctx, who, passkey, typed, 'Use 1 to 100 characters on one line.');
      await secondFactors.renamePasskey(who.user, passkey.id, name.data, ctx.ip);
      seeOther(ctx, `${SECURITY_PATH}?done=renamed`);
    }),
  );

  const REMOVE_PASSKEY = `${PASSKEYS}/:id/remove`;
  router.get(
    REMOVE_PASSKEY,
    pages.recently(SECURITY_PATH, async (ctx, who) => {
      const passkey = await passkeyOf(ctx, who);
      const data = { action: `${PASSKEYS}/${passkey.id}/remove`, name: `the passkey “${passkey.name}”` };
      renderPage(ctx, 'account/remove-factor', data, inAccount(who.user, 'security'));
    }),
  );

  router.post(
    REMOVE_PASSKEY,
    pages.recently(SECURITY_PATH, async (ctx, { user }) => {
      await csrf.readForm(ctx);
      const { id } = ctx['params'] as { id: string };
      if (!isId('psk', id)) throw notFound();
      await secondFactors.removePasskey(user, id, ctx.ip);
      seeOther(ctx, `${SECURITY_PATH}?done=removed`);
    }),
  );

  const CODES = `${SECURITY_PATH}/recovery-codes`;
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
