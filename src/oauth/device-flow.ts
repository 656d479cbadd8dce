import type { Context, Middleware } from 'koa';
import Provider, { type Client, type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { RenderPage } from '../http/page.ts';
import type { AttemptLimit, CreateAttemptLimit } from '../kernel/attempts.ts';
import { AppError } from '../kernel/errors.ts';
import type { RegisteredClient } from './client-metadata.ts';
import { httpsOnly } from './consent-page.ts';

export const DEVICE_PAGE = '/oauth/device';
/** RFC 8628 §3.5: how long a device has to wait between two questions. */
const POLL_SECONDS = 5;
/** Less than that, for what a network delays. */
const POLL_TOLERATED_SECONDS = 4;

const PREFILLED = 'prefilledUserCode';
const WRONG = 'wrongUserCode';

/** Why the person has to enter a code (again); the library's errors have these names. */
const FAULTS: Record<string, string> = {
  NotFoundError: 'This code is not right. Look at your device, and enter it again.',
  ExpiredError: 'This code has expired. Start again on your device.',
  AlreadyUsedError: 'This code was used already. Start again on your device.',
  NoCodeError: 'Enter the code that your device shows.',
};

/**
 * The device authorization grant (RFC 8628): a device without a browser shows a code, and its person enters that here. Sign-in
 * and consent are the same as for every app. The library keeps the codes; what is here are its pages.
 */
export function deviceFlow(renderPage: RenderPage) {
  const fieldsOf = (ctx: KoaContextWithOIDC): { xsrf: string } => ({
    xsrf: (ctx.oidc.session as unknown as { state: { secret: string } }).state.secret,
  });
  return {
    enabled: true as const,
    charset: 'base-20' as const,
    mask: '****-****',
    userCodeInputSource: (
      ctx: KoaContextWithOIDC,
      _form: string,
      out?: ErrorOut,
      error?: Error & { userCode?: string },
    ): void => {
      if (error?.name === 'AbortedError') {
        renderPage(ctx, 'message', {
          title: 'Nothing was connected',
          tone: 'info',
          paragraphs: ['You can close this page.'],
        });
        return;
      }
      if (error?.name === 'NotFoundError') ctx.state[WRONG] = true;
      const fault = error && (FAULTS[error.name] ?? out?.error_description ?? 'Start again on your device.');
      renderPage(
        ctx,
        'device',
        {
          action: DEVICE_PAGE,
          fields: fieldsOf(ctx),
          code: error?.userCode ?? (ctx.state[PREFILLED] as string | undefined) ?? '',
          error: fault,
        },
        { status: fault === undefined ? 200 : ctx.status === 200 ? 422 : ctx.status },
      );
    },
    userCodeConfirmSource: (
      ctx: KoaContextWithOIDC,
      _form: string,
      anyClient: Client,
      _device: unknown,
      code: string,
    ): void => {
      const client = anyClient as unknown as RegisteredClient;
      renderPage(ctx, 'device-confirm', {
        action: DEVICE_PAGE,
        fields: { ...fieldsOf(ctx), user_code: code },
        code,
        app: { name: client.clientName ?? client.clientId, logoUrl: httpsOnly(client.logoUri) },
      });
    },
    successSource: (ctx: KoaContextWithOIDC): void =>
      renderPage(ctx, 'message', {
        title: 'Your device is connected',
        tone: 'success',
        paragraphs: ['Go back to it: it goes on by itself. You can close this page.'],
      }),
  };
}

export type PollDeps = {
  /** Notes that a device asks; false when it asked less than `seconds` ago. MUST count all processes together. */
  notePoll(deviceCode: string, seconds: number): Promise<boolean>;
};

/** RFC 8628 §3.5: a device that asks too often, while its person has not decided, is told to slow down. */
export function slowDownDevices(provider: Provider, { notePoll }: PollDeps): void {
  type Found = { jti: string; accountId?: string; error?: string; isExpired: boolean } | undefined;
  const model = provider.DeviceCode as unknown as { find(...args: unknown[]): Promise<Found> };
  const find = model.find.bind(model);
  model.find = async (...args) => {
    const code = await find(...args);
    const waits = code && !code.accountId && !code.error && !code.isExpired;
    if (
      waits &&
      Provider.ctx?.oidc.route === 'token' &&
      !(await notePoll(code.jti, POLL_TOLERATED_SECONDS))
    ) {
      throw new errors.SlowDown();
    }
    return code;
  };
}

export type DeviceEndpointDeps = {
  webUrl: string;
  createLimit: CreateAttemptLimit;
  networkOf(ip: string): string;
};

/** Around the endpoint that gives out codes: the page is on the other origin, and nobody fills the table with codes. */
export function deviceAuthorization({ webUrl, createLimit, networkOf }: DeviceEndpointDeps): Middleware {
  const limit = createLimit({ name: 'device-authorization', attempts: 100, windowSeconds: 600 });
  return async (ctx, next) => {
    await take(limit, networkOf(ctx.ip), 'Too many devices ask for codes from your network.');
    await next();
    const { body } = ctx as { body: Record<string, unknown> };
    if (ctx.status !== 200) return;
    const page = webUrl + DEVICE_PAGE;
    ctx.body = {
      ...body,
      verification_uri: page,
      verification_uri_complete: `${page}?${new URLSearchParams({ user_code: String(body['user_code']) }).toString()}`,
      interval: POLL_SECONDS,
    };
  };
}

/**
 * Around the page: a code in its URL (RFC 8628 §3.3.1) fills the field and no more, so that a link alone connects nothing;
 * and guesses are counted before they are looked at, by network and by account (§5.1).
 */
export function devicePage({
  createLimit,
  networkOf,
  currentUserId,
}: Omit<DeviceEndpointDeps, 'webUrl'> & {
  currentUserId(ctx: Context): Promise<string | undefined>;
}): Middleware {
  const byNetwork = createLimit({ name: 'user-code-network', attempts: 30, windowSeconds: 600 });
  const byAccount = createLimit({ name: 'user-code-account', attempts: 10, windowSeconds: 600 });
  return async (ctx, next) => {
    if (ctx.method !== 'POST') {
      const { user_code: code, ...query } = ctx.query;
      if (typeof code === 'string' && code.length <= 40) ctx.state[PREFILLED] = code;
      ctx.query = query;
      return next();
    }
    const network = networkOf(ctx.ip);
    const userId = await currentUserId(ctx);
    const tooMany = 'Too many wrong codes.';
    await take(byNetwork, network, tooMany);
    if (userId) await take(byAccount, userId, tooMany);
    await next();
    if (ctx.state[WRONG]) return;
    await byNetwork.forgive(network);
    if (userId) await byAccount.forgive(userId);
  };
}

async function take(limit: AttemptLimit, key: string, message: string): Promise<void> {
  const { allowed, retryAfterSeconds } = await limit.attempt(key);
  if (!allowed) throw new AppError('rate_limited', `${message} Try again later.`, { retryAfterSeconds });
}
