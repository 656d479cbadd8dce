import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Sealer } from '../kernel/sealing.ts';

const MINUTES = 10;

const state = z.object({
  appId: z.string(),
  /** Where in the console it was begun: the path of the app's pages. */
  appPath: z.string(),
  state: z.string(),
  verifier: z.string(),
  scope: z.string(),
});

/** What the console has to know again when the browser comes back with a code: as any app, it keeps that to this browser. */
export type TryState = z.output<typeof state>;

export type TryStates = {
  keep(ctx: Context, state: TryState): void;
  /** Undefined when nothing was begun at this browser in the last ten minutes. */
  find(ctx: Context): TryState | undefined;
  forget(ctx: Context): void;
};

/** In a sealed cookie: the verifier is a secret of the flow. */
export function createTryStates({ sealer, secure }: { sealer: Sealer; secure: boolean }): TryStates {
  const name = secure ? '__Secure-pr_try' : 'pr_try';
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/console', overwrite: true } as const;
  return {
    keep: (ctx, value) => {
      const sealed = sealer.seal(JSON.stringify(value), 'console-try').toString('base64url');
      ctx.cookies.set(name, sealed, { ...options, maxAge: MINUTES * 60_000 });
    },
    find: (ctx) => {
      const cookie = ctx.cookies.get(name);
      if (!cookie) return undefined;
      try {
        return state.parse(JSON.parse(sealer.open(Buffer.from(cookie, 'base64url'), 'console-try')));
      } catch {
        return undefined; // cut short, or of another key
      }
    },
    forget: (ctx) => ctx.cookies.set(name, null, options),
  };
}

/** RFC 7636 §4.1 and §4.2. */
export function newPkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export const newState = (): string => randomBytes(16).toString('base64url');
