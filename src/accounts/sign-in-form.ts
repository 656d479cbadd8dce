import type { Context } from 'koa';
import type { Csrf } from '../http/csrf.ts';
import type { Form } from '../http/forms.ts';
import type { RenderPage } from '../http/page.ts';
import { withReturnTo } from '../http/return-to.ts';
import type { AttemptLimit } from '../kernel/attempts.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Sealer } from '../kernel/sealing.ts';
import type { Accounts } from './accounts.ts';
import { createKnownBrowsers } from './known-browser.ts';
import type { Passkeys } from './passkeys.ts';
import { createPendingSignIns } from './pending-sign-in.ts';
import type { SecondFactors } from './second-factors.ts';
import type { SignIn } from './sign-in.ts';
import type { User } from './user.ts';

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

type Shown = { email?: string; error?: string; notice?: string; status?: number };

export type SignInForm = {
  show(ctx: Context, options: SignInFormOptions & Shown): Promise<void>;
  /**
   * Takes the posted form a step on: gives who it is once all is proved (password and, for who has one, a second
   * factor; or a passkey), else shows the form for what is missing or wrong, and gives undefined.
   */
  submit(ctx: Context, options: SignInFormOptions): Promise<SignedInBy | undefined>;
};

export type SignInFormDeps = {
  renderPage: RenderPage;
  csrf: Csrf;
  signIn: SignIn;
  accounts: Pick<Accounts, 'resendConfirmation'>;
  findUser(id: string): Promise<User | undefined>;
  secondFactors: Pick<SecondFactors, 'factorsOf' | 'checkCode'>;
  passkeys: Pick<Passkeys, 'askToSignIn' | 'askAsSecondStep' | 'verify'>;
  /** Answers by passkey, by the caller's network. */
  passkeyLimit: AttemptLimit;
  networkOf(ip: string): string;
  sealer: Sealer;
  clock: Clock;
  secure: boolean;
};

/** The sign-in form, wherever it stands: alone, as a step of an authorization, or before what could harm its person. */
export function createSignInForm(deps: SignInFormDeps): SignInForm {
  const { renderPage, secondFactors, passkeys } = deps;
  const pending = createPendingSignIns(deps);
  const known = createKnownBrowsers(deps);

  const show: SignInForm['show'] = async (ctx, options) => {
    const { action, returnTo, app, again, email = '', error, notice, status = 200 } = options;
    const passkey = await passkeys.askToSignIn();
    renderPage(
      ctx,
      'login',
      {
        action,
        email,
        error,
        notice,
        app,
        again: again && { email: again.email },
        passkey,
        signUpUrl: withReturnTo('/signup', returnTo),
        forgotUrl: withReturnTo('/forgot-password', returnTo),
      },
      { status },
    );
  };

  const showSecondStep = async (
    ctx: Context,
    { action, app }: SignInFormOptions,
    user: User,
    { error, status = 200 }: Shown = {},
  ): Promise<void> => {
    const factors = await secondFactors.factorsOf(user.id);
    const passkey =
      factors.passkeys.length > 0 ? await passkeys.askAsSecondStep(user.id, factors.passkeys) : undefined;
    renderPage(
      ctx,
      'second-step',
      {
        action,
        app,
        pending: pending.seal(user),
        passkey,
        hasTotp: factors.totp !== undefined,
        error,
      },
      { status },
    );
  };

  /** All is proved. The browser is known to the account from now on. */
  const done = (ctx: Context, userId: string, methods: readonly string[]): SignedInBy => {
    known.remember(ctx, userId);
    return { userId, methods };
  };

  const byPassword = async (
    ctx: Context,
    form: Form,
    options: SignInFormOptions,
  ): Promise<SignedInBy | undefined> => {
    const email = options.again?.email ?? form.get('email');
    const result = await limited(
      () =>
        deps.signIn({
          email,
          password: form.get('password'),
          ip: ctx.ip,
          isKnownBrowser: (userId) => known.isKnownTo(ctx, userId),
        }),
      (error) => show(ctx, { ...options, email, ...tooMany(ctx, error) }),
    );
    if (!result) return undefined;
    if (result.kind === 'refused' || isOther(options, result.user.id)) {
      await show(ctx, { ...options, email, error: 'The address or the password is wrong.', status: 401 });
      return undefined;
    }
    if (result.kind === 'unconfirmed') {
      deps.accounts.resendConfirmation(result.user, options.returnTo);
      const notice = 'Confirm your e-mail address first: we have just sent you the link again.';
      await show(ctx, { ...options, email, notice, status: 403 });
      return undefined;
    }
    const { totp, passkeys: keys } = await secondFactors.factorsOf(result.user.id);
    if (!totp && keys.length === 0) return done(ctx, result.user.id, ['pwd']);
    await showSecondStep(ctx, options, result.user);
    return undefined;
  };

  /** The password was right a moment ago, which `pending` proves. */
  const bySecondStep = async (
    ctx: Context,
    form: Form,
    options: SignInFormOptions,
  ): Promise<SignedInBy | undefined> => {
    const user = await pending.open(form.get('pending'));
    if (!user || isOther(options, user.id)) {
      const error = 'That took too long, or your password was changed. Sign in again.';
      await show(ctx, { ...options, email: options.again?.email ?? '', error, status: 401 });
      return undefined;
    }
    const refuse = async (error: string): Promise<undefined> => {
      await showSecondStep(ctx, options, user, { error, status: 401 });
    };
    if (form.get('step') === 'passkey') {
      const proved = await passkeys.verify(answerOf(form), user.id);
      return proved ? done(ctx, user.id, ['pwd', 'pop', 'mfa']) : refuse(BAD_PASSKEY);
    }
    const right = await limited(
      () => secondFactors.checkCode(user, form.get('code'), known.isKnownTo(ctx, user.id)),
      (error) => showSecondStep(ctx, options, user, tooMany(ctx, error)),
    );
    if (right === undefined) return undefined;
    return right
      ? done(ctx, user.id, ['pwd', 'otp', 'mfa'])
      : refuse('This code is wrong, or was used already.');
  };

  /** A passkey that verified its person is two factors at once: no password is asked for. */
  const byPasskey = async (
    ctx: Context,
    form: Form,
    options: SignInFormOptions,
  ): Promise<SignedInBy | undefined> => {
    const { allowed, retryAfterSeconds } = await deps.passkeyLimit.attempt(deps.networkOf(ctx.ip));
    if (!allowed) {
      throw new AppError('rate_limited', 'Too many attempts to sign in. Try again later.', {
        retryAfterSeconds,
      });
    }
    const userId = await passkeys.verify(answerOf(form));
    const user = userId === undefined ? undefined : await deps.findUser(userId);
    if (!user || user.deactivatedAt || !user.emailConfirmedAt || isOther(options, user.id)) {
      await show(ctx, { ...options, email: options.again?.email ?? '', error: BAD_PASSKEY, status: 401 });
      return undefined;
    }
    return done(ctx, user.id, ['pop', 'user', 'mfa']);
  };

  return {
    show,
    submit: async (ctx, options) => {
      const form = await deps.csrf.readForm(ctx);
      if (form.get('pending') !== '') return bySecondStep(ctx, form, options);
      return form.get('step') === 'passkey' ? byPasskey(ctx, form, options) : byPassword(ctx, form, options);
    },
  };
}

const BAD_PASSKEY = 'This passkey could not be used here. Try again, or use another way.';

const isOther = ({ again }: SignInFormOptions, userId: string): boolean =>
  again !== undefined && again.userId !== userId;

const answerOf = (form: Form) => ({ challenge: form.get('challenge'), credential: form.get('credential') });

/** What `work` gives; undefined, after `refuse` has answered, when it was tried too often. */
async function limited<T>(
  work: () => Promise<T>,
  refuse: (error: AppError) => Promise<void>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
    await refuse(error);
    return undefined;
  }
}

function tooMany(ctx: Context, error: AppError): Shown {
  ctx.set('Retry-After', String(error.extras.retryAfterSeconds ?? 60));
  return { error: error.detail, status: 429 };
}
