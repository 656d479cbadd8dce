import type { AuditActor, RecordAudit } from '../audit/event.ts';
import { newId } from '../kernel/ids.ts';
import { issueSecret, type Secret, sha256 } from '../kernel/secret.ts';
import { type App, type AppStore, isConfidential } from './app.ts';

export type RegisterApp = (
  app: Omit<App, 'id'>,
  by: { actor: AuditActor; ip?: string },
) => Promise<{ app: App; secret: Secret | undefined }>;

/**
 * Registers an OAuth client, with a first secret where its kind can keep one. The secret is shown this once.
 * Redirect URIs and scopes are checked by the caller.
 */
export function createAppRegistration(deps: {
  apps: AppStore;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
}): RegisterApp {
  return (fields, { actor, ip }) =>
    deps.transaction(async () => {
      const app: App = { ...fields, id: newId('app') };
      await deps.apps.insert(app);
      let secret: Secret | undefined;
      if (isConfidential(app.kind)) {
        secret = issueSecret('secret_');
        const value = secret.reveal();
        await deps.apps.addSecret(app.id, {
          id: newId('sec'),
          hash: sha256(value),
          last4: value.slice(-4),
          expiresAt: undefined,
        });
      }
      await deps.audit({
        type: 'app.created',
        organizationId: app.organizationId,
        actor,
        targetId: app.id,
        ...(ip ? { ip } : {}),
        data: { name: app.name, kind: app.kind, environment: app.environment },
      });
      return { app, secret };
    });
}
