import Router from '@koa/router';
import type { Context } from 'koa';
import { seeOther } from '../http/page.ts';
import { notFound } from '../kernel/errors.ts';
import { isId } from '../kernel/ids.ts';
import { displayName } from '../kernel/schemas.ts';
import { inAccount } from './frame.ts';
import type { Passkey } from './second-factor.ts';
import { createAfterAdding, PASSKEYS, type SecurityPageDeps, withReturn } from './security-pages.ts';
import { SECURITY_PATH, type SignedIn } from './signed-in-pages.ts';

/** `/account/security/passkeys`: adds, renames and removes them. */
export function passkeyRoutes(deps: SecurityPageDeps): Router {
  const { pages, secondFactors, csrf, renderPage } = deps;
  const router = new Router();
  const afterAdding = createAfterAdding(deps);

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

  return router;
}
