import type { Context } from 'koa';
import type { Sealer } from '../kernel/sealing.ts';
import { equalInConstantTime } from '../kernel/secret.ts';

const KNOWN_BROWSER_SECONDS = 180 * 86_400;

export type KnownBrowsers = {
  /** Whether somebody has signed in here to this account before. It proves nothing but that. */
  isKnownTo(ctx: Context, userId: string): boolean;
  remember(ctx: Context, userId: string): void;
};

/**
 * Marks a browser with whose account was opened there last, so that guesses from elsewhere, which are counted by account, don't
 * keep its owner out.
 */
export function createKnownBrowsers({ sealer, secure }: { sealer: Sealer; secure: boolean }): KnownBrowsers {
  const cookieName = secure ? '__Host-pr_known' : 'pr_known';
  const mark = (userId: string): Buffer => sealer.mac(userId, 'known-browser');

  return {
    isKnownTo: (ctx, userId) =>
      equalInConstantTime(mark(userId), Buffer.from(ctx.cookies.get(cookieName) ?? '', 'base64url')),
    remember: (ctx, userId) => {
      ctx.cookies.set(cookieName, mark(userId).toString('base64url'), {
        httpOnly: true,
        sameSite: 'lax',
        secure,
        path: '/',
        overwrite: true,
        maxAge: KNOWN_BROWSER_SECONDS * 1000,
      });
    },
  };
}
