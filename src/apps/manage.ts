import { APP_KINDS, authMethodOf } from '../../config/app-kinds.ts';
import { sortScopes } from '../../config/scopes.ts';
import type { RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, type FieldError, notFound } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import { requireHeld } from '../principals/held-scopes.ts';
import { actorOf, type By, visibleTo } from '../principals/principal.ts';
import type { App, AppChange, AppStore, ListedAppSecret } from './app.ts';
import { jwksUriFault } from './jwks.ts';
import { logoutUriFaults, redirectUriFaults } from './redirect-uri.ts';
import { makeAppSecret, type NewApp, type RegisterApp } from './register-app.ts';

const MOST_SECRETS = 5;

export type ManageDeps = {
  apps: AppStore;
  registerApp: RegisterApp;
  /** Ends what people allowed the app, and every token under it. */
  endGrants(of: { appId: string }): Promise<unknown>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  clock: Clock;
};

export type Apps = ReturnType<typeof createApps>;

/**
 * Everything that is done with apps, for the API and the console alike. Each change and its audit event are one
 * transaction. The route's scope is checked before; here is what depends on the app: nobody gives an app, or takes
 * over one that has, what they don't hold themselves.
 */
export function createApps({ apps, registerApp, endGrants, transaction, audit, clock }: ManageDeps) {
  const lock = async ({ principal }: By, id: string): Promise<App> => {
    const app = await apps.findForChange(visibleTo(principal), id);
    if (!app) throw notFound();
    return app;
  };

  const record = (
    type: 'app.updated' | 'app.deleted' | 'app.secret_created' | 'app.secret_deleted',
    { principal, ip }: By,
    { id: targetId, environment }: App,
    data: Record<string, unknown>,
  ) =>
    audit({
      type,
      organizationId: principal.organizationId,
      environment,
      actor: actorOf(principal),
      targetId,
      ip,
      data,
    });

  return {
    create: async (
      { principal, ip }: By,
      fields: Omit<NewApp, 'organizationId' | 'createdBy'>,
    ): Promise<{ app: App; secret: Secret | undefined }> => {
      refuseFaults(fields);
      if (principal.environment === 'test' && fields.environment === 'live') {
        throw new AppError('forbidden', 'A sandbox credential can not make a production app.');
      }
      requireHeld(principal, fields.scopes);
      return registerApp(
        { ...fields, organizationId: principal.organizationId, createdBy: principal.userId },
        { actor: actorOf(principal), ip },
      );
    },

    change: (by: By, id: string, change: AppChange): Promise<App> =>
      transaction(async () => {
        const app = await lock(by, id);
        const fields = Object.keys(change);
        if (fields.length === 0) return app;
        const wanted = {
          ...change,
          ...(change.scopes === undefined ? {} : { scopes: sortScopes(change.scopes) }),
        };
        const after = { ...app, ...wanted, updatedAt: clock() };
        refuseFaults(after);
        requireHeld(
          by.principal,
          after.scopes.filter((scope) => !app.scopes.includes(scope)),
        );
        // Codes go where it says, and its keys are as good as a secret: who may change them gets what the app has.
        if (change.redirectUris || 'jwks' in change || 'jwksUri' in change) {
          requireHeld(by.principal, after.scopes);
        }
        await apps.update(id, wanted, after.updatedAt);
        await record('app.updated', by, app, { fields });
        return after;
      }),

    /** The app's grants, tokens and secrets end with it. */
    delete: (by: By, id: string): Promise<void> =>
      transaction(async () => {
        const app = await apps.findForDeletion(visibleTo(by.principal), id);
        if (!app) throw notFound();
        await endGrants({ appId: id });
        await apps.delete(id);
        await record('app.deleted', by, app, { name: app.name });
      }),

    addSecret: (
      by: By,
      appId: string,
      expiresAt: Date | undefined,
    ): Promise<{ secret: ListedAppSecret; value: Secret }> =>
      transaction(async () => {
        const app = await lock(by, appId);
        if (authMethodOf(app) === 'none') {
          throw new AppError(
            'conflict',
            `An app of the kind ${app.kind} can not keep a secret, and has none.`,
          );
        }
        requireHeld(by.principal, app.scopes); // or a secret would be a way to get what one lacks
        await apps.deleteExpiredSecrets(appId);
        if ((await apps.usableSecrets(appId)).length >= MOST_SECRETS) {
          throw new AppError('conflict', `An app may have ${MOST_SECRETS} secrets: delete one first.`, {
            limit: MOST_SECRETS,
          });
        }
        const now = clock();
        const { value, secret } = makeAppSecret(expiresAt, now);
        await apps.addSecret(appId, secret, now);
        await record('app.secret_created', by, app, { secretId: secret.id, last4: secret.last4 });
        return { value, secret: { ...secret, createdAt: now, lastUsedAt: undefined } };
      }),

    deleteSecret: (by: By, appId: string, id: string): Promise<void> =>
      transaction(async () => {
        const app = await lock(by, appId);
        const usable = await apps.usableSecrets(appId);
        if (usable.length === 1 && usable[0] === id) {
          throw new AppError(
            'conflict',
            "This is the app's last secret, without which it can get no token: add another first.",
          );
        }
        if (!(await apps.deleteSecret(appId, id))) throw notFound();
        await record('app.secret_deleted', by, app, { secretId: id });
      }),
  };
}

function refuseFaults({
  kind,
  redirectUris,
  requirePkce,
  postLogoutRedirectUris = [],
  jwks,
  jwksUri,
  securityProfile,
}: Pick<
  NewApp,
  'kind' | 'redirectUris' | 'requirePkce' | 'postLogoutRedirectUris' | 'jwks' | 'jwksUri' | 'securityProfile'
>): void {
  const errors: FieldError[] = [
    ...redirectUriFaults(redirectUris, kind),
    ...logoutUriFaults(postLogoutRedirectUris, kind),
    ...keyFaults(kind, jwks, jwksUri),
  ];
  if (!requirePkce && kind !== 'web') {
    errors.push({ path: 'requirePkce', message: 'may be false for apps of the kind web alone' });
  }
  if (securityProfile === 'fapi2' && (!requirePkce || (jwks === undefined && jwksUri === undefined))) {
    errors.push({
      path: 'securityProfile',
      message: 'fapi2 takes an app with keys (jwks or jwksUri) and PKCE',
    });
  }
  if (errors.length === 0) return;
  throw new AppError(
    'validation_failed',
    errors.length === 1 ? 'The request has a fault.' : `The request has ${errors.length} faults.`,
    { errors },
  );
}

function keyFaults(kind: App['kind'], jwks: App['jwks'], jwksUri: string | undefined): FieldError[] {
  if (jwks === undefined && jwksUri === undefined) return [];
  if (jwks !== undefined && jwksUri !== undefined) {
    return [{ path: 'jwksUri', message: 'must not be given together with jwks' }];
  }
  if (!APP_KINDS[kind].confidential) {
    return [{ path: jwks ? 'jwks' : 'jwksUri', message: 'may be given for the kinds web and service alone' }];
  }
  const fault = jwksUri === undefined ? undefined : jwksUriFault(jwksUri);
  return fault === undefined ? [] : [{ path: 'jwksUri', message: fault }];
}
