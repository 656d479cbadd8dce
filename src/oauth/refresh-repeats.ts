import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AlreadyUsedError } from './already-used-error.ts';

export type RefreshRepeatDeps = {
  /** Seconds after its rotation in which a refresh token may come again; 0 for never. */
  graceSeconds: number;
  /** Keeps what a rotation answered, sealed, with the refresh token that it spent. */
  keepAnswer(spentToken: string, answer: string): Promise<void>;
  /** What was kept, if the token was spent no longer than `graceSeconds` ago by the database's clock. */
  keptAnswer(spentToken: string, graceSeconds: number): Promise<string | undefined>;
};

/** After a rotation: keeps the answer, in the transaction that spent the token. */
export async function keepForRepeats(ctx: Context, deps: RefreshRepeatDeps): Promise<void> {
  const { entities } = (ctx as unknown as KoaContextWithOIDC).oidc;
  const spent = entities['RotatedRefreshToken'] as { jti: string } | undefined;
  if (deps.graceSeconds === 0 || !spent || ctx.status !== 200) return;
  await deps.keepAnswer(spent.jti, JSON.stringify(ctx.body));
}

/**
 * A client whose answer was lost on the way, or that refreshes from two places at once, comes again with the token that it just
 * spent. Within the grace it gets the same pair again: no second child, so that a thief and an owner can't both go on.
 * Returns whether that is what happened. The library has checked client, grant and key by then.
 */
export async function answerRepeat(
  ctx: Context,
  replay: AlreadyUsedError,
  deps: RefreshRepeatDeps,
): Promise<boolean> {
  const token = (ctx as unknown as KoaContextWithOIDC).oidc.params?.['refresh_token'];
  if (replay.kind !== 'RefreshToken' || deps.graceSeconds === 0 || typeof token !== 'string') return false;
  const kept = await deps.keptAnswer(token, deps.graceSeconds);
  if (!kept) return false;
  ctx.status = 200;
  ctx.body = JSON.parse(kept);
  return true;
}
