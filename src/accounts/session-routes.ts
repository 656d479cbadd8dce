import Router from '@koa/router';
import type { Context } from 'koa';
import type { RecordAudit } from '../audit/event.ts';
import type { Csrf } from '../http/csrf.ts';
import { type RenderPage, seeOther } from '../http/page.ts';
import { deviceOf } from './device.ts';
import { inAccount } from './frame.ts';
import type { PageSession, SignedInPages } from './signed-in-pages.ts';

/** A browser in which the person is signed in, as the OAuth side keeps it. */
type SignedInBrowser = { id: string; ip: string; userAgent: string; signedInAt: Date; lastSeenAt: Date };

export type SessionPageDeps = {
  pages: SignedInPages;
  csrf: Csrf;
  renderPage: RenderPage;
  listSessions(userId: string): Promise<SignedInBrowser[]>;
  /** False when it was gone already. */
  endSession(userId: string, id: string): Promise<boolean>;
  endSessionsOf(userId: string): Promise<void>;
  restart(ctx: Context, session: PageSession): Promise<void>;
  networkOf(ip: string): string;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
};

const PATH = '/account/sessions';

/** `/account/sessions`: where the person is signed in; ends one, or all others. */
export function sessionRoutes(deps: SessionPageDeps): Router {
  const { pages, csrf, renderPage, transaction, audit } = deps;
  const router = new Router();

  const record = (type: 'user.session_ended' | 'user.sessions_ended', userId: string, ip: string) =>
    audit({ type, actor: { type: 'user', id: userId }, targetId: userId, ip });

  router.get(
    PATH,
    pages.signedIn(async (ctx, { user, session }) => {
      const found = await deps.listSessions(user.id);
      const sessions = found.map(({ id, ip, userAgent, signedInAt, lastSeenAt }) => ({
        id,
        device: deviceOf(userAgent),
        network: ip && deps.networkOf(ip),
        signedInAt,
        lastSeenAt,
        current: id === session.id,
      }));
      sessions.sort((a, b) => Number(b.current) - Number(a.current));
      renderPage(
        ctx,
        'account/sessions',
        { sessions, done: ctx.query['done'] === '1' },
        inAccount(user, 'sessions'),
      );
    }),
  );

  router.post(
    `${PATH}/end`,
    pages.signedIn(async (ctx, { user }) => {
      const id = (await csrf.readForm(ctx)).get('session');
      await transaction(async () => {
        if (/^[0-9a-f]{64}$/.test(id) && (await deps.endSession(user.id, id))) {
          await record('user.session_ended', user.id, ctx.ip);
        }
      });
      seeOther(ctx, `${PATH}?done=1`);
    }),
  );

  router.post(
    `${PATH}/end-others`,
    pages.signedIn(async (ctx, { user, session }) => {
      await csrf.readForm(ctx);
      await transaction(async () => {
        await deps.endSessionsOf(user.id);
        await record('user.sessions_ended', user.id, ctx.ip);
      });
      await deps.restart(ctx, session);
      seeOther(ctx, `${PATH}?done=1`);
    }),
  );

  return router;
}
