import { authMethodOf } from '../../config/app-kinds.ts';
import { sortScopes } from '../../config/scopes.ts';
import type { AuditActor, RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { issueSecret, type Secret, sha256 } from '../kernel/secret.ts';
import type { App, AppStore, HashedAppSecret } from './app.ts';

const MOST_APPS = 100;

/** What an app may do without. */
type Optional =
  | 'postLogoutRedirectUris'
  | 'jwks'
  | 'jwksUri'
  | 'limits'
  | 'tokenSigningAlg'
  | 'securityProfile';

export type NewApp = Omit<App, 'id' | 'createdAt' | 'updatedAt' | Optional> & Partial<Pick<App, Optional>>;

export type RegisterApp = (
  app: NewApp,
  by: { actor: AuditActor; ip?: string },
) => Promise<{ app: App; secret: Secret | undefined }>;

/**
 * Registers an OAuth client, with a first secret where it proves itself by one. The secret is shown this once. Throws
 * conflict when the organization has as many as it may have. Redirect URIs and scopes are checked by the caller.
 */
export function createAppRegistration(deps: {
  apps: Pick<AppStore, 'insert' | 'addSecret' | 'countOf'>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  clock: Clock;
}): RegisterApp {
  return (fields, { actor, ip }) =>
    deps.transaction(async () => {
      if ((await deps.apps.countOf(fields.organizationId)) >= MOST_APPS) {
        throw new AppError('conflict', `An organization may have ${MOST_APPS} apps: delete one first.`, {
          limit: MOST_APPS,
        });
      }
      const now = deps.clock();
      const app: App = {
        postLogoutRedirectUris: [],
        jwks: undefined,
        jwksUri: undefined,
        limits: {},
        tokenSigningAlg: 'RS256',
        securityProfile: 'standard',
        ...fields,
        id: newId('app', now),
        scopes: sortScopes(fields.scopes),
        createdAt: now,
        updatedAt: now,
      };
      await deps.apps.insert(app);
      let value: Secret | undefined;
      if (authMethodOf(app) === 'client_secret_basic') {
        const made = makeAppSecret(undefined, now);
        await deps.apps.addSecret(app.id, made.secret, now);
        value = made.value;
      }
      await deps.audit({
        type: 'app.created',
        organizationId: app.organizationId,
        environment: app.environment,
        actor,
        targetId: app.id,
        ...(ip ? { ip } : {}),
        data: { name: app.name, kind: app.kind, scopes: app.scopes },
      });
      return { app, secret: value };
    });
}

/** A client secret in the clear, and what is kept of it. Touches nothing. */
export function makeAppSecret(
  expiresAt: Date | undefined,
  now: Date,
): { value: Secret; secret: HashedAppSecret } {
  const value = issueSecret('secret_');
  const text = value.reveal();
  return {
    value,
    secret: { id: newId('sec', now), hash: sha256(text), last4: text.slice(-4), expiresAt },
  };
}
