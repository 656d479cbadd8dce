import type { Context } from 'koa';

const YEAR_MS = 365 * 86_400_000;

/** Remembers at the browser which organization and environment it looked at last. Nothing is allowed by it. */
export function createPlaceMemory({ secure }: { secure: boolean }) {
  const name = secure ? '__Secure-pr_place' : 'pr_place';
  const remembered = (ctx: Context): string => ctx.cookies.get(name) ?? '';
  return {
    remembered,
    remember: (ctx: Context, place: string): void => {
      if (remembered(ctx) === place) return;
      ctx.cookies.set(name, place, {
        httpOnly: true,
        sameSite: 'lax',
        secure,
        path: '/console',
        overwrite: true,
        maxAge: YEAR_MS,
      });
    },
  };
}
