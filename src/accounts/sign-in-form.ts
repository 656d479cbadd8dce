import type { Context } from 'koa';
import type { Csrf } from '../http/csrf.ts';
import type { RenderPage } from '../http/page.ts';
import { withReturnTo } from '../http/return-to.ts';
import { AppError } from '../kernel/errors.ts';
import type { Sealer } from '../kernel/sealing.ts';
import { equalInConstantTime } from '../kernel/secret.ts';
import type { Accounts } from './accounts.ts';
import type { SignIn } from './sign-in.ts';

export type SignInFormOptions = {
  /** Where the form is posted. */
  action: string;
  /** A path of ours to come back to; "" for none. */
  returnTo: string;
  /** The app on whose behalf the person signs in. */
  app?: { name: string; logoUrl?: string | undefined };
  /** Who is signed in, and has to prove again that it is them: nobody else is let in. */
  again?: { userId: string; email: string };
};

/** Who has signed in, and how, in the words of RFC 8176: "pwd", "otp", "mfa". */
export type SignedInBy = { userId: string; methods: readonly string[] };

export type SignInForm = {
  show(
    ctx: Context,
    options: SignInFormOptions & { email?: string; error?: string; notice?: string; status?: number },
  ): void;
  /** Checks the posted form: gives who it is, or shows the form again with what is wrong and gives undefined. */
  submit(ctx: Context, options: SignInFormOptions): Promise<SignedInBy | undefined>;
};

const KNOWN_BROWSER_SECONDS = 180 * 86_400;

/** The sign-in form, wherever it stands: alone, or as a step of an authorization. */
export function createSignInForm(deps: {
  renderPage: RenderPage;
  csrf: Csrf;
  signIn: SignIn;
  accounts: Pick<Accounts, 'resendConfirmation'>;
  sealer: Sealer;
  secure: boolean;
}): SignInForm {
  const cookieName = deps.secure ? '__Host-pr_known' : 'pr_known';
  const mark = (userId: string): Buffer => deps.sealer.mac(userId, 'known-browser');

  const show: SignInForm['show'] = (
    ctx,
    { action, returnTo, app, again, email = '', error, notice, status = 200 },
  ) => {
    deps.renderPage(
      ctx,
      'login',
      {
        action,
        email,
        error,
        notice,
        app,
        again: again && { email: again.email },
        signUpUrl: withReturnTo('/signup', returnTo),
        forgotUrl: withReturnTo('/forgot-password', returnTo),
      },
      { status },
    );
  };

  return {
    show,
    submit: async (ctx, options) => {
      const form = await deps.csrf.readForm(ctx);
      const email = options.again?.email ?? form.get('email');
      const cookie = ctx.cookies.get(cookieName) ?? '';
      try {
        const result = await deps.signIn({
          email,
          password: form.get('password'),
          ip: ctx.ip,
          isKnownBrowser: (userId) => equalInConstantTime(mark(userId), Buffer.from(cookie, 'base64url')),
        });
        const other = result.kind !== 'refused' && options.again && result.user.id !== options.again.userId;
        if (result.kind === 'refused' || other) {
          show(ctx, { ...options, email, error: 'The address or the password is wrong.', status: 401 });
          return undefined;
        }
        if (result.kind === 'unconfirmed') {
          deps.accounts.resendConfirmation(result.user, options.returnTo);
          const notice = 'Confirm your e-mail address first: we have just sent you the link again.';
          show(ctx, { ...options, email, notice, status: 403 });
          return undefined;
        }
        ctx.cookies.set(cookieName, mark(result.user.id).toString('base64url'), {
          httpOnly: true,
          sameSite: 'lax',
          secure: deps.secure,
          path: '/',
          overwrite: true,
          maxAge: KNOWN_BROWSER_SECONDS * 1000,
        });
        return { userId: result.user.id, methods: ['pwd'] };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
        ctx.set('Retry-After', String(error.extras.retryAfterSeconds ?? 60));
        show(ctx, { ...options, email, error: error.detail, status: 429 });
        return undefined;
      }
    },
  };
}
