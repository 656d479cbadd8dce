import Router from '@koa/router';
import type { Context } from 'koa';
import type { Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import { SCOPES, type Scope } from '../../config/scopes.ts';
import type { Csrf } from '../http/csrf.ts';
import { type RenderPage, seeOther } from '../http/page.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { inAccount } from './frame.ts';
import type { SignedIn, SignedInPages } from './signed-in-pages.ts';

/** What a person allowed an app in one of their organizations, as the OAuth side tells it. */
type Connection = {
  id: string;
  appId: string;
  appName: string;
  logoUrl: string | undefined;
  developer: string | undefined;
  environment: Environment;
  organizationId: string;
  organizationName: string;
  scopes: readonly Scope[];
  identity: readonly string[];
  allowedAt: Date;
  lastUsedAt: Date | undefined;
};

type Membership = { organizationId: string; organizationName: string; role: Role };

export type ConnectionPageDeps = {
  pages: SignedInPages;
  csrf: Csrf;
  renderPage: RenderPage;
  connectedAppsOf(userId: string): Promise<Connection[]>;
  /** Ends every token under it. False when there was nothing to withdraw. */
  withdrawConsent(
    of: { userId: string; appId: string; organizationId: string },
    by: { ip: string },
  ): Promise<boolean>;
  membershipsOf(userId: string): Promise<Membership[]>;
  /** Throws `conflict` for the last owner. */
  leave(of: { userId: string; organizationId: string }, by: { ip: string }): Promise<void>;
};

const APPS = '/account/apps';
const ORGANIZATIONS = '/account/organizations';

/** `/account/apps` and `/account/organizations`: what a person is connected to, and how they end it. */
export function connectionRoutes(deps: ConnectionPageDeps): Router {
  const { pages, csrf, renderPage } = deps;
  const router = new Router();

  const connectionOf = async (ctx: Context, { user }: SignedIn): Promise<Connection> => {
    const found = (await deps.connectedAppsOf(user.id)).find(({ id }) => id === ctx['params'].id);
    if (!found) throw notFound();
    return found;
  };

  router.get(
    APPS,
    pages.signedIn(async (ctx, { user }) => {
      const connections = await deps.connectedAppsOf(user.id);
      renderPage(
        ctx,
        'account/apps',
        { apps: connections.map(toRow), done: ctx.query['done'] === '1' },
        inAccount(user, 'apps'),
      );
    }),
  );

  router.get(
    `${APPS}/:id/withdraw`,
    pages.signedIn(async (ctx, who) => {
      const row = toRow(await connectionOf(ctx, who));
      const data = { action: `${APPS}/${row.id}/withdraw`, app: row };
      renderPage(ctx, 'account/withdraw', data, inAccount(who.user, 'apps'));
    }),
  );

  router.post(
    `${APPS}/:id/withdraw`,
    pages.signedIn(async (ctx, who) => {
      await csrf.readForm(ctx);
      const { appId, organizationId } = await connectionOf(ctx, who);
      await deps.withdrawConsent({ userId: who.user.id, appId, organizationId }, { ip: ctx.ip });
      seeOther(ctx, `${APPS}?done=1`);
    }),
  );

  router.get(
    ORGANIZATIONS,
    pages.signedIn(async (ctx, { user }) => {
      const organizations = await deps.membershipsOf(user.id);
      renderPage(
        ctx,
        'account/organizations',
        {
          organizations: organizations.map(({ organizationId, organizationName, role }) => ({
            id: organizationId,
            name: organizationName,
            role,
          })),
          done: ctx.query['done'] === '1',
        },
        inAccount(user, 'organizations'),
      );
    }),
  );

  const membershipOf = async (ctx: Context, { user }: SignedIn): Promise<Membership> => {
    const memberships = await deps.membershipsOf(user.id);
    const found = memberships.find(({ organizationId }) => organizationId === ctx['params'].id);
    if (!found) throw notFound();
    return found;
  };

  const showLeave = (ctx: Context, { user }: SignedIn, of: Membership, error?: AppError): void =>
    renderPage(
      ctx,
      'account/leave',
      {
        action: `${ORGANIZATIONS}/${of.organizationId}/leave`,
        organization: of.organizationName,
        error: error?.detail,
      },
      { ...inAccount(user, 'organizations'), status: error?.status ?? 200 },
    );

  router.get(
    `${ORGANIZATIONS}/:id/leave`,
    pages.signedIn(async (ctx, who) => showLeave(ctx, who, await membershipOf(ctx, who))),
  );

  router.post(
    `${ORGANIZATIONS}/:id/leave`,
    pages.signedIn(async (ctx, who) => {
      await csrf.readForm(ctx);
      const membership = await membershipOf(ctx, who);
      const { organizationId } = membership;
      try {
        await deps.leave({ userId: who.user.id, organizationId }, { ip: ctx.ip });
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'conflict') throw error;
        return showLeave(ctx, who, membership, error); // the last owner
      }
      seeOther(ctx, `${ORGANIZATIONS}?done=1`);
    }),
  );

  return router;
}

const toRow = ({ scopes, appId: _, organizationId: __, ...connection }: Connection) => ({
  ...connection,
  scopes: scopes.map((scope) => ({
    scope,
    description: SCOPES[scope].description,
    level: SCOPES[scope].level,
  })),
});
