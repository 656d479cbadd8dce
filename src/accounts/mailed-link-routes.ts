import Router from '@koa/router';
import type { Context } from 'koa';
import type { Csrf } from '../http/csrf.ts';
import type { RenderPage } from '../http/page.ts';
import { safeReturnTo, withReturnTo } from '../http/return-to.ts';
import type { AttemptLimit } from '../kernel/attempts.ts';
import { normalizeEmail } from '../kernel/email.ts';
import { AppError } from '../kernel/errors.ts';
import { type Accounts, signUpFaults } from './accounts.ts';

export type MailedLinkDeps = {
  accounts: Accounts;
  csrf: Csrf;
  renderPage: RenderPage;
  /** Limits mails and sign-ups by the caller's network. */
  mailLimit: AttemptLimit;
  networkOf(ip: string): string;
};

/** What leads over a link in a mail: sign-up with its confirmation, and a new password. */
export function mailedLinkRoutes(deps: MailedLinkDeps): Router {
  const router = new Router();
  const { csrf, renderPage } = deps;

  router.get('/signup', (ctx) => {
    const returnTo = returnToOf(ctx);
    renderPage(ctx, 'signup', {
      action: withReturnTo('/signup', returnTo),
      values: { name: '', email: '', organization: '' },
      errors: {},
      loginUrl: withReturnTo('/login', returnTo),
    });
  });

  router.post('/signup', async (ctx) => {
    const form = await csrf.readForm(ctx);
    const returnTo = returnToOf(ctx);
    const values = {
      name: form.get('name'),
      email: form.get('email'),
      organization: form.get('organization'),
    };
    const password = form.get('password');
    const errors = signUpFaults({ ...values, password });
    if (Object.keys(errors).length > 0) {
      renderPage(
        ctx,
        'signup',
        {
          action: withReturnTo('/signup', returnTo),
          values,
          errors,
          loginUrl: withReturnTo('/login', returnTo),
        },
        { status: 422 },
      );
      return;
    }
    await limitMail(ctx, deps);
    await deps.accounts.signUp({ ...values, password, returnTo, ip: ctx.ip });
    renderPage(ctx, 'message', checkYourMail(normalizeEmail(values.email), 'confirm your address'));
  });

  router.get('/confirm-email', (ctx) => {
    renderPage(ctx, 'confirm-email', {
      action: withReturnTo('/confirm-email', returnToOf(ctx)),
      token: tokenOf(ctx),
    });
  });

  router.post('/confirm-email', async (ctx) => {
    const form = await csrf.readForm(ctx);
    if (!(await deps.accounts.confirmEmail(form.get('token'), ctx.ip))) throw staleLink();
    renderPage(ctx, 'message', {
      title: 'Your address is confirmed',
      tone: 'success',
      paragraphs: ['You can sign in now.'],
      actions: [{ label: 'Sign in', url: afterMail(returnToOf(ctx)) }],
    });
  });

  router.get('/forgot-password', (ctx) => {
    const returnTo = returnToOf(ctx);
    renderPage(ctx, 'forgot-password', {
      action: withReturnTo('/forgot-password', returnTo),
      email: '',
      loginUrl: withReturnTo('/login', returnTo),
    });
  });

  router.post('/forgot-password', async (ctx) => {
    const form = await csrf.readForm(ctx);
    const email = normalizeEmail(form.get('email'));
    await limitMail(ctx, deps);
    deps.accounts.requestPasswordReset(email, returnToOf(ctx));
    renderPage(ctx, 'message', checkYourMail(email, 'choose a new password'));
  });

  router.get('/reset-password', async (ctx) => {
    if (!(await deps.accounts.canResetPassword(tokenOf(ctx)))) throw staleLink();
    const action = withReturnTo('/reset-password', returnToOf(ctx));
    renderPage(ctx, 'reset-password', { action, token: tokenOf(ctx) });
  });

  router.post('/reset-password', async (ctx) => {
    const form = await csrf.readForm(ctx);
    const token = form.get('token');
    const { done, fault } = await deps.accounts.resetPassword(token, form.get('password'), ctx.ip);
    if (fault) {
      const action = withReturnTo('/reset-password', returnToOf(ctx));
      return renderPage(ctx, 'reset-password', { action, token, error: fault }, { status: 422 });
    }
    if (!done) throw staleLink();
    renderPage(ctx, 'message', {
      title: 'Your password is changed',
      tone: 'success',
      paragraphs: ['Every browser that was signed in to your account has been signed out.'],
      actions: [{ label: 'Sign in', url: afterMail(returnToOf(ctx)) }],
    });
  });

  return router;
}

const returnToOf = (ctx: Context): string => safeReturnTo(ctx.query['returnTo']);

/** A step of an authorization signs the person in by itself; anything else is reached through the login page. */
const afterMail = (returnTo: string): string =>
  returnTo.startsWith('/oauth/interaction/') ? returnTo : withReturnTo('/login', returnTo);

const tokenOf = (ctx: Context): string => (typeof ctx.query['token'] === 'string' ? ctx.query['token'] : '');

const staleLink = (): AppError =>
  new AppError(
    'bad_request',
    'This link was used already, has expired, or is not complete. Ask for a new one.',
  );

const checkYourMail = (email: string, purpose: string) => ({
  title: 'Check your mail',
  tone: 'info' as const,
  paragraphs: [
    `If everything is right with ${email}, a message is on its way. Open the link in it to ${purpose}.`,
    'Nothing there after a few minutes? Look in the spam folder, or try again.',
  ],
  actions: [],
});

async function limitMail(ctx: Context, deps: MailedLinkDeps): Promise<void> {
  const { allowed, retryAfterSeconds } = await deps.mailLimit.attempt(deps.networkOf(ctx.ip));
  if (allowed) return;
  throw new AppError('rate_limited', 'Too many requests for mail from your network. Try again later.', {
    retryAfterSeconds,
  });
}
