import { APP_KINDS } from '../../config/app-kinds.ts';
import type { RecordAudit } from '../audit/event.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import type { AppStore } from './app.ts';

/**
 * Marks an app as a resource server, or takes the mark away: it may then introspect and revoke the tokens and keys of every
 * organization. The operator alone decides that. Throws not_found, or conflict for an app that can't keep a secret.
 */
export function createResourceServerMarking(deps: {
  apps: Pick<AppStore, 'findRegistered' | 'setResourceServer'>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
}) {
  return (appId: string, marked: boolean): Promise<{ name: string }> =>
    deps.transaction(async () => {
      const app = await deps.apps.findRegistered(appId);
      if (!app?.organizationId) throw notFound(); // nobody answers for one that registered itself
      if (marked && !APP_KINDS[app.kind].confidential) {
        throw new AppError('conflict', `An app of the kind ${app.kind} can not authenticate itself.`);
      }
      if (app.resourceServer === marked) return { name: app.name };
      await deps.apps.setResourceServer(appId, marked);
      await deps.audit({
        type: marked ? 'app.resource_server_marked' : 'app.resource_server_unmarked',
        organizationId: app.organizationId,
        actor: { type: 'operator' },
        targetId: appId,
      });
      return { name: app.name };
    });
}
