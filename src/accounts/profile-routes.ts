import Router from '@koa/router';
import type { Context } from 'koa';
import type { Csrf } from '../http/csrf.ts';
import { type RenderPage, seeOther } from '../http/page.ts';
import { safeReturnTo, withReturnTo } from '../http/return-to.ts';
import { AppError } from '../kernel/errors.ts';
import { inAccount } from './frame.ts';
import type { Profile } from './profile.ts';
import type { SignInForm } from './sign-in-form.ts';
import { CONFIRM_PATH, type PageSession, type SignedIn, type SignedInPages } from './signed-in-pages.ts';

export type ProfilePageDeps = {
  pages: SignedInPages;
  profile: Profile;
  signInForm: SignInForm;
  csrf: Csrf;
  renderPage: RenderPage;
  sessions: {
    renew(ctx: Context, session: PageSession, methods: readonly string[]): Promise<void>;
    restart(ctx: Context, session: PageSession): Promise<void>;
  };
};

/** `/account`: the name, the address, the password, and the page on which a person proves again who they are. */
export function profileRoutes({
  pages,
  profile,
  signInForm,
  csrf,
  renderPage,
  sessions,
}: ProfilePageDeps): Router {
  const router = new Router();

  const showProfile = (ctx: Context, { user }: SignedIn, typed?: { name: string; error: string }): void =>
    renderPage(
      ctx,
      'account/profile',
      { name: typed?.name ?? user.name, email: user.email, error: typed?.error, done: doneOf(ctx) },
      { status: typed ? 422 : 200, ...inAccount(user, 'profile') },
    );

  router.get(
    '/account',
    pages.signedIn((ctx, who) => showProfile(ctx, who)),
  );

  router.post(
    '/account/name',
    pages.signedIn(async (ctx, who) => {
      const name = (await csrf.readForm(ctx)).get('name');
      const error = await profile.rename(who.user, name, ctx.ip);
      if (error) return showProfile(ctx, who, { name, error });
      seeOther(ctx, '/account?done=name');
    }),
  );

  const EMAIL = '/account/email';
  router.get(
    EMAIL,
    pages.recently(EMAIL, (ctx, { user }) =>
      renderPage(ctx, 'account/email', { present: user.email, typed: '' }, inAccount(user, 'profile')),
    ),
  );

  router.post(
    EMAIL,
    pages.recently(EMAIL, async (ctx, { user }) => {
      const typed = (await csrf.readForm(ctx)).get('email');
      const error = await profile.requestEmailChange(user, typed);
      if (error) {
        const data = { present: user.email, typed, error };
        return renderPage(ctx, 'account/email', data, { status: 422, ...inAccount(user, 'profile') });
      }
      seeOther(ctx, '/account?done=email');
    }),
  );

  // No sign-in here: the link may be opened on another device, and whoever has it reads the new address's mail.
  router.get('/account/email/confirm', (ctx) => {
    const token = typeof ctx.query['token'] === 'string' ? ctx.query['token'] : '';
    renderPage(ctx, 'confirm-email', { action: '/account/email/confirm', token });
  });

  router.post('/account/email/confirm', async (ctx) => {
    const form = await csrf.readForm(ctx);
    if (!(await profile.confirmEmailChange(form.get('token'), ctx.ip))) {
      throw new AppError(
        'bad_request',
        'This link was used already, has expired, or is not complete, or the address belongs to another account. Ask for a new one.',
      );
    }
    renderPage(ctx, 'message', {
      title: 'Your address is changed',
      tone: 'success',
      paragraphs: ['From now on, sign in with the new address. Mail to you goes there.'],
      actions: [{ label: 'Your account', url: '/account' }],
    });
  });

  const PASSWORD = '/account/password';
  router.get(
    PASSWORD,
    pages.recently(PASSWORD, (ctx, { user }) =>
      renderPage(ctx, 'account/password', { email: user.email, errors: {} }, inAccount(user, 'profile')),
    ),
  );

  router.post(
    PASSWORD,
    pages.recently(PASSWORD, async (ctx, { user, session }) => {
      const form = await csrf.readForm(ctx);
      const typed = { present: form.get('present'), next: form.get('password') };
      const errors = await profile.changePassword(user, typed, ctx.ip);
      if (errors) {
        const data = { email: user.email, errors };
        return renderPage(ctx, 'account/password', data, { status: 422, ...inAccount(user, 'profile') });
      }
      await sessions.restart(ctx, session);
      seeOther(ctx, '/account?done=password');
    }),
  );

  const confirming = (ctx: Context, { user }: SignedIn) => {
    const returnTo = safeReturnTo(ctx.query['returnTo']);
    const again = { userId: user.id, email: user.email };
    return { action: withReturnTo(CONFIRM_PATH, returnTo), returnTo, again };
  };

  router.get(
    CONFIRM_PATH,
    pages.signedIn((ctx, who) => signInForm.show(ctx, { ...confirming(ctx, who), email: who.user.email })),
  );

  router.post(
    CONFIRM_PATH,
    pages.signedIn(async (ctx, who) => {
      const options = confirming(ctx, who);
      const proved = await signInForm.submit(ctx, options);
      if (!proved) return;
      await sessions.renew(ctx, who.session, proved.methods);
      seeOther(ctx, options.returnTo || '/account');
    }),
  );

  return router;
}

const DONE = ['name', 'email', 'password'] as const;

/** What was just done, from the query to which a form's answer redirects. */
const doneOf = (ctx: Context): (typeof DONE)[number] | undefined =>
  DONE.find((name) => name === ctx.query['done']);
